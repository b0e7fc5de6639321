import { StreamError } from '@parley/xmpp/stream-error';
import type { Stream } from './stream.ts';

/**
 * Ends a stream whose peer takes too long to prove who it is, and then to have a resource. Traffic does not extend its time;
 * while it waits for us, that stands still.
 */
export class SetUpTimer {
  readonly #stream: Stream;
  #timer: NodeJS.Timeout | undefined;
  #endsAt = 0;
  /** Milliseconds that were left when it was stopped. */
  #left = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  start(): void {
    const { host, identity } = this.#stream;
    this.#run(identity === undefined ? host.timeouts.authenticateMs : host.timeouts.bindMs);
  }

  /** Goes on where it was stopped. */
  goOn(): void {
    this.#run(this.#left);
  }

  #run(ms: number): void {
    clearTimeout(this.#timer);
    this.#endsAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      const { host, identity } = this.#stream;
      host.onLimit(this.#stream, identity === undefined ? 'authenticate-time' : 'bind-time');
      this.#stream.error(new StreamError('connection-timeout'));
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#left = Math.max(0, this.#endsAt - performance.now());
  }
}
