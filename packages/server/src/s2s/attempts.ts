import { ConnectionFailure } from './connection-failure.ts';
import type { EstablishedStream } from './outgoing-stream.ts';

export interface AttemptsHost {
  readonly settings: () => { readonly firstRetryMs: number; readonly maxRetryMs: number };
  open(): Promise<EstablishedStream>;
  onOpen(stream: EstablishedStream): void;
  /** Nothing is tried for so many milliseconds. */
  onFailure(failure: ConnectionFailure, restMs: number): void;
  /** Something waits for a stream. */
  wanted(): boolean;
  now(): number;
  random(): number;
}

/** When it is tried to reach another server, and what came of it. */
export class Attempts {
  readonly #host: AttemptsHost;
  /** It is being connected; resolves either way. */
  #attempt: Promise<void> | undefined;
  #failures = 0;
  #failure: ConnectionFailure | undefined;
  /** Nothing is tried before. */
  #restsUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(host: AttemptsHost) {
    this.#host = host;
  }

  get state(): 'connecting' | 'resting' | 'idle' {
    if (this.#attempt !== undefined) return 'connecting';
    return this.#host.now() < this.#restsUntil ? 'resting' : 'idle';
  }

  /** Why there was no stream lately. */
  get failure(): ConnectionFailure | undefined {
    return this.#failure;
  }

  /** One is under way, or what became of the last one is to be remembered. */
  get matter(): boolean {
    if (this.#attempt !== undefined) return true;
    return this.#failures > 0 && this.#host.now() < this.#restsUntil + this.#host.settings().maxRetryMs;
  }

  /** Throws the failure where whoever waits until then waits for nothing. */
  check(until: number): void {
    if (this.#attempt !== undefined || this.#host.now() >= this.#restsUntil) return;
    const failure = this.#failure as ConnectionFailure;
    if (failure.lasting || until < this.#restsUntil) throw failure;
  }

  /** Connects unless it does already, or has to rest. `now`: it need not rest. */
  async connect(now: boolean): Promise<void> {
    const rest = this.#restsUntil - this.#host.now();
    if (!now && rest > 0) {
      this.#timer ??= setTimeout(() => this.#rested(), rest).unref();
      return;
    }
    this.#attempt ??= this.#host.open().then(
      (stream) => this.#onOpen(stream),
      (error) => this.#onFailure(error),
    );
    await this.#attempt;
  }

  #onOpen(stream: EstablishedStream): void {
    this.#attempt = undefined;
    this.#failure = undefined;
    this.#host.onOpen(stream);
  }

  #onFailure(error: unknown): void {
    this.#attempt = undefined;
    this.#rest(
      error instanceof ConnectionFailure
        ? error
        : new ConnectionFailure('connection', 'A fault of ours.', { condition: 'internal-server-error', cause: error }),
    );
  }

  /** The stream is over; with a failure where it was no better than none. */
  ended(failure: ConnectionFailure | undefined): void {
    if (failure === undefined) this.#failures = 0;
    if (this.#stopped || !this.#host.wanted()) return;
    if (failure === undefined) void this.connect(false);
    else this.#rest(failure);
  }

  #rest(failure: ConnectionFailure): void {
    if (this.#stopped) return;
    const { firstRetryMs, maxRetryMs } = this.#host.settings();
    const delay = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 30));
    const rest = delay * (0.75 + 0.5 * this.#host.random());
    this.#failures++;
    this.#failure = failure;
    this.#restsUntil = this.#host.now() + rest;
    this.#host.onFailure(failure, rest);
    if (this.#host.wanted()) void this.connect(false);
  }

  #rested(): void {
    this.#timer = undefined;
    if (!this.#stopped && this.#host.wanted()) void this.connect(true);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
