import { type IncomingMessage, request } from 'node:http';
import type { SecureContext } from 'node:tls';
import { DialError, dial, encrypt } from './dial.ts';

export interface WebDocumentOptions {
  readonly url: URL;
  /** Where to connect for it. */
  readonly address: string;
  /** Who may vouch for the web server. */
  readonly trust: SecureContext;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** The document is not to be had. The message says why, as the end of a sentence. */
export class WebDocumentError extends Error {
  override readonly name = 'WebDocumentError';
}

const HTTPS_PORT = 443;
const MOST_HEADER_BYTES = 8192;

/** Gets a document from a web server that proves by its certificate that it is the host. No redirect is followed. Throws a WebDocumentError. */
export async function webDocument({ url, address, trust, maxBytes, signal }: WebDocumentOptions): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const raw = await dial(address, Number(url.port || HTTPS_PORT), signal);
    const secure = await encrypt(raw, host, trust, signal);
    const cut = () => void secure.destroy();
    signal.addEventListener('abort', cut);
    try {
      const asked = request({
        createConnection: () => secure,
        method: 'GET',
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, accept: 'application/json', 'accept-encoding': 'identity', connection: 'close' },
        maxHeaderSize: MOST_HEADER_BYTES,
        setDefaultHeaders: false,
      });
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      asked.on('response', resolve).on('error', reject).end();
      return await bodyOf(await promise, maxBytes);
    } finally {
      signal.removeEventListener('abort', cut);
      secure.destroy();
    }
  } catch (error) {
    if (error instanceof WebDocumentError) throw error;
    if (signal.aborted) throw new WebDocumentError('it did not come in time', { cause: error });
    const reason = error instanceof DialError ? `${error.step}: ${error.code}` : (error as Error).message;
    throw new WebDocumentError(`${url.host} does not give it (${reason})`, { cause: error });
  }
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const { statusCode = 0 } = response;
  if (statusCode >= 300 && statusCode < 400) throw new WebDocumentError(`it is said to be elsewhere (${statusCode})`);
  if (statusCode !== 200) throw new WebDocumentError(`the web server answers ${statusCode}`);
  const chunks: Buffer[] = [];
  let received = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received > maxBytes) throw new WebDocumentError(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (!response.complete) throw new WebDocumentError('it ended too early');
  return Buffer.concat(chunks).toString('utf8');
}
