import type { LimitName } from '@parley/metrics/catalogue';
import type { Metrics } from '@parley/metrics/registry';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Configuration } from '../config/schema.ts';
import { Pace } from './pace.ts';
import type { Stream } from './stream.ts';
import { TurnQueue } from './turn-queue.ts';

export interface AdmissionOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** How often the queues are looked at while somebody waits. */
const TICK_MS = 20;

/**
 * Paces what is expensive when thousands of clients come back at once, so that those who are here do not feel it: logins,
 * and sessions that are resumed, which come first, since each one that is let in takes work from others. A client that
 * shows with its login which session it comes back to (XEP-0198, "Inline Stream Resumption") logs in before others. To say whose
 * account it is would not do: whoever is served sooner would learn that this one is there. Whoever would wait for too long is
 * sent away, and keeps its session.
 */
export class Admission {
  readonly #now: () => number;
  readonly #pace = new Pace();
  readonly #logins: TurnQueue<Stream>;
  readonly #resumptions: TurnQueue<Stream>;
  #timer: NodeJS.Timeout | undefined;
  /** When it is to fire next. */
  #due = 0;

  constructor({ config, metrics, now = () => performance.now() }: AdmissionOptions) {
    this.#now = now;
    const share = (now: number) => this.#pace.share(now);
    this.#logins = new TurnQueue(() => config().limits.logins, share);
    this.#resumptions = new TurnQueue(() => config().limits.resumptions, share);
    const { admissionWaiting, admissionWait } = metrics;
    for (const [kind, queue] of [
      ['login', this.#logins],
      ['resumption', this.#resumptions],
    ] as const) {
      admissionWaiting.with({ kind }).observe(() => queue.size);
      queue.onWaited = (ms) => admissionWait.with({ kind }).record(ms / 1000);
    }
  }

  /**
   * Stands before every attempt to log in. Undefined where it may begin at once; resolves when it may, or when the stream
   * is over. Throws a StreamError where too many wait. `returns`: it has shown that there is a session to come back to.
   */
  login(stream: Stream, returns?: () => boolean): Promise<void> | undefined {
    return this.#enter(this.#logins, stream, 'logins-rate', returns);
  }

  /** The same, before a session is resumed. */
  resumption(stream: Stream): Promise<void> | undefined {
    return this.#enter(this.#resumptions, stream, 'resumptions-rate');
  }

  #enter(
    queue: TurnQueue<Stream>,
    stream: Stream,
    limit: LimitName,
    goesFirst?: () => boolean,
  ): Promise<void> | undefined {
    const turn = queue.enter(stream, this.#now(), goesFirst);
    if (turn === 'full') {
      stream.host.onLimit(stream, limit);
      // no failure of the login, nor of the resumption: a client would ask for another password, or give up its session
      throw new StreamError('resource-constraint', 'Too many clients come at once: try again later.');
    }
    if (turn === undefined) return undefined;
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
      this.#due = this.#now() + TICK_MS;
    }
    return stream.untimed(turn);
  }

  #tick(): void {
    const now = this.#now();
    this.#pace.tick(now, now - this.#due);
    this.#due = now + TICK_MS;
    this.#resumptions.serve(now, 2 * TICK_MS);
    this.#logins.serve(now, 2 * TICK_MS);
    if (this.#resumptions.size + this.#logins.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The stream is over. */
  forget(stream: Stream): void {
    this.#logins.leave(stream);
    this.#resumptions.leave(stream);
  }
}
