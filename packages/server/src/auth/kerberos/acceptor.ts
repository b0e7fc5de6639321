import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AccountsBusy } from '../authenticator.ts';
import type { Accepted } from './gssapi.ts';

export interface Request {
  readonly request: number;
  readonly context: number;
  readonly call: 'examine' | 'accept' | 'wrap' | 'unwrap' | 'end';
  readonly data?: Uint8Array;
}

export interface Response {
  readonly request: number;
  readonly data?: Uint8Array;
  readonly peers?: Accepted['peers'];
  /** What the library has against what the other side said. */
  readonly refused?: string;
  /** Why nothing can be accepted here from anybody. */
  readonly unusable?: string;
}

/** Nothing can be accepted just now, whoever asks: there is no library, or no keytab, or the process is gone. */
export class AcceptorUnusable extends Error {
  override name = 'AcceptorUnusable';
}

/** The library refuses what the other side said. */
export class TokenRefused extends Error {
  override name = 'TokenRefused';
}

export interface AcceptorOptions {
  /** The library, by its name or path. */
  readonly library: string;
  readonly keytab: string;
  /** The process has ended by itself, and another is started when it is needed. */
  onEnded?(how: string): void;
  /** Time for an answer, in milliseconds. */
  readonly timeoutMs?: number;
}

const PROGRAM = fileURLToPath(new URL('./acceptor-process.ts', import.meta.url));
const TIMEOUT_MS = 5000;
/** An answer takes about a millisecond. */
const MOST_WAITING = 1000;
/** Whatever makes the process end does not make the node start one after the other. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [500, 30_000];
/** What it is told of the node's environment: nothing of its secrets. */
const ENVIRONMENT = /^(?:KRB5.*|LANG|LC_.*|LD_LIBRARY_PATH|PATH|TMPDIR|TZ)$/;

interface Waiting {
  resolve(response: Response): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Accepts security contexts in a process of its own, in which the C library may wait for files, or fall, without a node
 * that stands still or falls. It is started when it is first needed, and again where it has ended.
 */
export class Acceptor implements Disposable {
  readonly options: AcceptorOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #last = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #notBefore = 0;
  #disposed = false;

  constructor(options: AcceptorOptions) {
    this.options = options;
  }

  /** Rejects with AcceptorUnusable where nothing could be accepted. */
  async examine(): Promise<void> {
    await this.#ask('examine', 0);
  }

  begin(): AcceptedContext {
    return new AcceptedContext((call, context, data) => this.#ask(call, context, data), ++this.#last);
  }

  /** The process, for tests that end it. */
  get process(): ChildProcess | undefined {
    return this.#child;
  }

  async #ask(call: Request['call'], context: number, data?: Uint8Array): Promise<Response> {
    if (this.#waiting.size >= MOST_WAITING && call !== 'examine') throw new AccountsBusy();
    const child = this.#running();
    const request = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const timer = setTimeout(
      () => this.#gone(child, 'it did not answer in time'),
      this.options.timeoutMs ?? TIMEOUT_MS,
    );
    this.#waiting.set(request, { resolve, reject, timer });
    child.send({ request, context, call, ...(data && { data }) } satisfies Request, (error) => {
      if (error) this.#gone(child, error.message);
    });
    const response = await promise;
    if (response.unusable !== undefined) throw new AcceptorUnusable(response.unusable);
    if (response.refused !== undefined) throw new TokenRefused(response.refused);
    return response;
  }

  #running(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    if (this.#disposed || performance.now() < this.#notBefore) {
      throw new AcceptorUnusable('The process that accepts has ended, and is started again in a moment.');
    }
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => ENVIRONMENT.test(name)));
    const { library } = this.options;
    const child = fork(PROGRAM, [library], {
      serialization: 'advanced',
      execArgv: ['--disable-proto=delete', '--disable-warning=ExperimentalWarning', '--max-old-space-size=64'],
      env: { ...env, KRB5_KTNAME: `FILE:${this.options.keytab}` },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (response: Response) => this.#answered(response));
    child.on('error', (error) => this.#gone(child, error.message));
    child.on('exit', (code, signal) => this.#gone(child, `it ended with ${code ?? signal}`));
    this.#child = child;
    return child;
  }

  #answered(response: Response): void {
    const waiting = this.#waiting.get(response.request);
    if (waiting === undefined) return;
    this.#waiting.delete(response.request);
    clearTimeout(waiting.timer);
    this.#pauseMs = FIRST_PAUSE_MS;
    waiting.resolve(response);
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    child.kill('SIGKILL');
    this.#notBefore = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of waiting) {
      clearTimeout(timer);
      reject(new AcceptorUnusable(`The process that accepts is gone: ${how}.`));
    }
    if (!this.#disposed) this.options.onEnded?.(how);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    if (this.#child !== undefined) this.#gone(this.#child, 'the node lets go of it');
  }
}

/** One security context, as the acceptor has it. Every call may reject with AcceptorUnusable, TokenRefused or AccountsBusy. */
export class AcceptedContext {
  readonly #ask: (call: Request['call'], context: number, data?: Uint8Array) => Promise<Response>;
  readonly #id: number;

  constructor(ask: (call: Request['call'], context: number, data?: Uint8Array) => Promise<Response>, id: number) {
    this.#ask = ask;
    this.#id = id;
  }

  async accept(token: Buffer): Promise<Accepted> {
    const { data, peers } = await this.#ask('accept', this.#id, token);
    return { token: bytes(data), ...(peers && { peers }) };
  }

  async wrap(data: Buffer): Promise<Buffer> {
    return bytes((await this.#ask('wrap', this.#id, data)).data);
  }

  async unwrap(data: Buffer): Promise<Buffer> {
    return bytes((await this.#ask('unwrap', this.#id, data)).data);
  }

  /** Nothing more comes of it. */
  end(): void {
    this.#ask('end', this.#id).catch(() => {}); // it is gone with its process, too
  }
}

const bytes = (data: Uint8Array | undefined) => (data === undefined ? Buffer.alloc(0) : Buffer.from(data));
