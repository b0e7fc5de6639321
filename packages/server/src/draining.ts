import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Session } from './session/session.ts';
import type { Sessions } from './session/sessions.ts';
import type { Streams } from './stream/streams.ts';
import { within } from './within.ts';

/** The other nodes, as those that sessions go to. */
export interface Successors {
  /** There are none at the moment. */
  readonly alone: boolean;
  /** Leaves a session to one of them; to whoever comes next where there is none. Resolves when that is done. */
  handOver(session: Session): Promise<void>;
}

export interface DrainingHost {
  readonly streams: Streams;
  readonly sessions: Sessions;
  /** Undefined where there never are any. */
  readonly others: Successors | undefined;
  settings(): { readonly seconds: number; readonly sessionsPerSecond: number };
  onFault(error: unknown): void;
  /** Milliseconds of a clock that never goes back. */
  now?(): number;
  /** Resolves after so many milliseconds, rejects where it is aborted. */
  pause?(ms: number, signal: AbortSignal): Promise<void>;
}

/** `done`: no session is left. */
export type DrainState = 'off' | 'running' | 'done';

/** The shares of the time for all of it in which all streams are closed, and in which all sessions go, at the latest. */
const STREAMS_SHARE = 0.5;
const SESSIONS_SHARE = 0.25;
const TICK_MS = 50;
/** What is done in one turn, so that everything else goes on in between. */
const AT_ONCE = 100;
/** How long clients that have just lost their streams may take to come back elsewhere by themselves. */
const MOMENT_MS = 1000;
/** How long the last sessions may take to be written where the time is up. */
const LAST_MS = 2000;

/**
 * Takes all sessions of this node elsewhere. Streams are closed at a pace at which the other nodes can take their clients
 * in. A session that can be resumed stays here, whole, until its client resumes it on another node; those that are left in
 * the end are handed to the others.
 */
export class Draining {
  readonly #host: DrainingHost;
  #state: DrainState = 'off';
  #stopping = false;
  #cancel = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #now: () => number;
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor(host: DrainingHost) {
    this.#host = host;
    this.#now = host.now ?? (() => performance.now());
    this.#pause = host.pause ?? ((ms, signal) => wait(ms, undefined, { signal }));
  }

  get state(): DrainState {
    return this.#state;
  }

  /** Begins, unless it has begun. Resolves when no session is left, or it was cancelled. */
  start(): Promise<void> {
    if (this.#state !== 'off') return this.#running;
    this.#state = 'running';
    this.#cancel = new AbortController();
    const { signal } = this.#cancel;
    this.#running = this.#drain(signal).then(
      () => {
        if (!signal.aborted) this.#state = 'done';
      },
      (error) => {
        if (!signal.aborted) this.#host.onFault(error);
      },
    );
    return this.#running;
  }

  /** What has left stays where it is. */
  cancel(): void {
    this.#state = 'off';
    this.#cancel.abort();
  }

  /** The node stops: as far as there are others, and time. */
  async stop(): Promise<void> {
    const { others, settings } = this.#host;
    this.#stopping = true;
    if (others === undefined || others.alone) return;
    await within(this.start(), settings().seconds * 1000);
    this.#cancel.abort();
  }

  /** All streams are closed, and all is done that could be: what is left is written down for whoever comes next. */
  async leaveRest(): Promise<void> {
    const { others, sessions } = this.#host;
    if (others !== undefined) await within(this.#handOver(others, [...sessions.all]), LAST_MS);
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { streams, sessions, others, settings } = this.#host;
    const { seconds } = settings();
    const expected = [...sessions.all].some(({ management, detached }) => management?.resumable && !detached);
    await this.#paced(streams.size, seconds * STREAMS_SHARE, signal, (count) => {
      const some = [...streams].slice(0, count);
      for (const stream of some) stream.error(new StreamError('system-shutdown'));
      return some.length;
    });
    const moment = expected ? Math.min(MOMENT_MS, seconds * 1000 * SESSIONS_SHARE) : 0;
    for (const until = this.#now() + moment; sessions.size > 0 && this.#now() < until; ) {
      await this.#pause(TICK_MS, signal);
    }
    if (others === undefined) return;
    const tried = new Set<Session>();
    const all = [...sessions.all].length;
    await this.#paced(all, seconds * SESSIONS_SHARE, signal, async (count) => {
      // nobody to take them: they wait here, unless this is the end
      while (others.alone && !this.#stopping) await this.#pause(TICK_MS, signal);
      const some = [...sessions.all].filter((session) => !tried.has(session)).slice(0, count);
      for (const session of some) tried.add(session);
      await this.#handOver(others, some);
      return some.length;
    });
  }

  async #handOver(others: Successors, sessions: readonly Session[]): Promise<void> {
    await Promise.all(sessions.map((session) => others.handOver(session).catch(this.#host.onFault)));
  }

  /** Has `step` do a number of things, until it finds none, all of `total` in so many seconds or faster. */
  async #paced(
    total: number,
    seconds: number,
    signal: AbortSignal,
    step: (count: number) => number | Promise<number>,
  ): Promise<void> {
    const rate = Math.max(this.#host.settings().sessionsPerSecond, total / seconds || 0) / 1000;
    const begun = this.#now();
    for (let done = 0; ; ) {
      signal.throwIfAborted();
      const due = Math.ceil((this.#now() - begun + TICK_MS) * rate) - done;
      const count = due < 1 ? 0 : await step(Math.min(due, AT_ONCE));
      if (due >= 1 && count === 0) return;
      done += count;
      if (count < due) await nextTurn();
      else await this.#pause(TICK_MS, signal);
    }
  }
}
