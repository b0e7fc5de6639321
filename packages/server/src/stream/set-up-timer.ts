import { StreamError } from '@parley/xmpp/stream-error';
import type { Stream } from './stream.ts';

/** Ends a stream whose peer takes too long to prove who it is, and then to have a resource. Traffic does not extend its time. */
export class SetUpTimer {
  readonly #stream: Stream;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  start(): void {
    const { host, identity } = this.#stream;
    const { authenticateMs, bindMs } = host.timeouts;
    this.stop();
    const expire = () => {
      host.onLimit(this.#stream, identity === undefined ? 'authenticate-time' : 'bind-time');
      this.#stream.error(new StreamError('connection-timeout'));
    };
    this.#timer = setTimeout(expire, identity === undefined ? authenticateMs : bindMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
