import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { machineAuthorities } from './machine-authorities.ts';

export interface WebClientOptions {
  /** Certificates (PEM) of those who vouch for the web server; those that the machine trusts, where none are named. */
  readonly authorities: string | undefined;
  /** At the same time; what is asked beyond waits. */
  readonly connections: number;
}

export interface WebQuestion {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent by POST; without it, it is a GET. */
  readonly form?: URLSearchParams;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** No answer that is good for anything. The message says why, as the end of a sentence. */
export class WebClientError extends Error {
  override readonly name = 'WebClientError';
  readonly outcome: 'refused' | 'late' | 'away';
  /** Of the answer, where there was one, and it was another than 200. */
  readonly status: number | undefined;

  constructor(
    outcome: 'refused' | 'late' | 'away',
    message: string,
    { status, ...options }: ErrorOptions & { readonly status?: number } = {},
  ) {
    super(message, options);
    this.outcome = outcome;
    this.status = status;
  }
}

const MOST_HEADER_BYTES = 8192;
/** A connection on which nothing was asked for so long is closed. */
const IDLE_MS = 30_000;

/** Asks a web server that the operator has named for JSON, on connections that are kept. No redirect is followed. */
export class WebClient {
  readonly #agent: Agent;
  readonly #plain: PlainAgent;

  constructor({ authorities, connections }: WebClientOptions) {
    const kept = { keepAlive: true, maxSockets: connections, timeout: IDLE_MS, scheduling: 'lifo' } as const;
    this.#agent = new Agent({ ...kept, ca: authorities ?? [...machineAuthorities()], minVersion: 'TLSv1.2' });
    this.#plain = new PlainAgent(kept);
  }

  /** Throws a WebClientError. */
  async json(question: WebQuestion): Promise<unknown> {
    const signal = AbortSignal.timeout(question.timeoutMs);
    let text: string;
    try {
      text = await this.#ask(question, signal);
    } catch (error) {
      if (error instanceof WebClientError) throw error;
      const { host } = question.url;
      if (signal.aborted) throw new WebClientError('late', `${host} did not answer in time`, { cause: error });
      const { code = 'error', message } = error as NodeJS.ErrnoException;
      throw new WebClientError('away', `${host} cannot be asked (${code}: ${message})`, { cause: error });
    }
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new WebClientError('refused', `${question.url.host} did not answer with JSON`, { cause });
    }
  }

  async #ask(question: WebQuestion, signal: AbortSignal): Promise<string> {
    try {
      return await this.#once(question, signal);
    } catch (error) {
      // a kept connection was closed by the other side just when it was to be used again
      if (!(error instanceof StaleConnection)) throw error;
      return this.#once(question, signal);
    }
  }

  async #once({ url, headers, form, maxBytes }: WebQuestion, signal: AbortSignal): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const body = form?.toString();
    const secure = url.protocol === 'https:';
    const asked = (secure ? request : plainRequest)(url, {
      method: body === undefined ? 'GET' : 'POST',
      agent: secure ? this.#agent : this.#plain,
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        ...(body !== undefined && {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
        }),
        ...headers,
      },
      maxHeaderSize: MOST_HEADER_BYTES,
      signal,
    });
    asked.on('response', resolve);
    asked.on('error', (error: NodeJS.ErrnoException) =>
      reject(asked.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error),
    );
    asked.end(body);
    return bodyOf(await promise, url, maxBytes);
  }

  close(): void {
    this.#agent.destroy();
    this.#plain.destroy();
  }
}

class StaleConnection extends Error {}

async function bodyOf(response: IncomingMessage, { host }: URL, maxBytes: number): Promise<string> {
  const { statusCode = 0 } = response;
  if (statusCode !== 200) {
    response.resume();
    const outcome = statusCode >= 500 ? 'away' : 'refused';
    throw new WebClientError(outcome, `${host} answers ${statusCode}`, { status: statusCode });
  }
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw new WebClientError('refused', `${host} answers with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
