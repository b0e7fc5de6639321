import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Log } from '../log.ts';
import type { Awaitable } from '../pipeline.ts';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { Session } from '../session/session.ts';
import { within } from '../within.ts';

export interface ReassertionHost {
  readonly keyspace: Keyspace;
  readonly sessions: Iterable<Session>;
  readonly log: Log;
  /** Records a session anew. */
  assert(session: Session): Promise<void>;
  /** A session has another epoch. */
  changed(session: Session): void;
  /** Looks in the keyspace for sessions of this node that it does not have. */
  sweep(): Promise<void>;
  onFault(error: unknown): void;
}

/** So many sessions a second are asserted anew, a few at a time: the clients of all nodes want the store, too. */
const AT_ONCE = 20;
const PAUSE_MS = 10;

/** How long the others have to assert what is theirs before this node takes back what names it and nobody has. */
const OTHERS_MS = 2000;

/** How long a node may take to find the new store; one that takes longer is gone. */
const SETTLED_MS = 15_000;

/** How long a node that leaves stays for that, where the store does not answer. */
const LAST_MS = 5000;

const MESSAGE =
  'Redis was started again, or a replica took its place, so its newest writes may be missing. All sessions are written anew.';

/**
 * What this node does when the keyspace has lost its newest writes, since a replica took the place of its primary or it was
 * started again with what it had saved. The owner of a session has all of it in memory, and nobody else writes it: so it
 * writes everything anew. What the keyspace remembers of sessions that have ended meanwhile is swept up afterwards.
 */
export class Reassertion {
  readonly #host: ReassertionHost;
  #running: Promise<void> = Promise.resolve();
  /** Counts the losses: a new one begins anew. */
  #losses = 0;
  #stopped = false;
  /** A node that starts does not know what was before. */
  #lastLoss = performance.now();
  /** What is told to the store of what this node had done for good, and has no more. */
  #restoring: Promise<unknown> = Promise.resolve();

  constructor(host: ReassertionHost) {
    this.#host = host;
  }

  get losses(): number {
    return this.#losses;
  }

  /** It is known that the store had lost nothing before this node started. */
  settled(): void {
    if (this.#losses === 0) this.#lastLoss = Number.NEGATIVE_INFINITY;
  }

  /** Owners that live may not have asserted yet what is theirs. */
  get unsettled(): boolean {
    return performance.now() - this.#lastLoss < SETTLED_MS;
  }

  /**
   * Has this node leave once the store that answers lacks nothing that only this node could tell it, as far as it has
   * answered, and resolves when it still lacks nothing: a node that has left has none of it any more.
   */
  async leave(leave: () => Promise<void>): Promise<void> {
    const end = performance.now() + LAST_MS;
    const secured = () => within(this.#secured(), Math.max(0, end - performance.now())).catch(() => {});
    await secured();
    await leave();
    await secured();
  }

  async #secured(): Promise<void> {
    const { keyspace } = this.#host;
    for (let losses = -1; losses !== this.#losses; ) {
      losses = this.#losses;
      await this.#restoring;
      await untilDone(
        () => keyspace.answered(),
        () => nextAttempt(keyspace),
      );
    }
  }

  /** The store lacks something that is told to it by others than the sessions of this node. */
  restoring(...all: readonly Awaitable<unknown>[]): void {
    const settled = Promise.allSettled([this.#restoring, ...all]);
    this.#restoring = settled.then(() => {}); // not what the one before came to, and the one before that
  }

  /** The store that answers from now on lacks something. Told before anything is written to it. */
  storeChanged(): void {
    const losses = ++this.#losses;
    this.#lastLoss = performance.now();
    const sessions = [...this.#host.sessions];
    this.#host.log.warn('keyspace.changed', { message: MESSAGE, sessions: sessions.length });
    // at once: whatever is written next has to know
    for (const { backlog } of sessions) if (backlog?.resumable) backlog.storeChanged();
    this.#running = this.#running
      .then(() => this.#assertAll(sessions, () => losses === this.#losses && !this.#stopped))
      .catch(this.#host.onFault);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #assertAll(sessions: readonly Session[], isWanted: () => boolean): Promise<void> {
    const asserted: Promise<void>[] = [];
    for (const session of sessions) {
      if (!isWanted()) return;
      asserted.push(this.#assert(session).catch(this.#host.onFault));
      if (asserted.length % AT_ONCE === 0) await pause(PAUSE_MS, undefined, { ref: false });
    }
    await Promise.all(asserted);
    await pause(OTHERS_MS, undefined, { ref: false });
    if (!isWanted()) return;
    await this.#host.sweep();
    this.#host.log.info('keyspace.swept', { sessions: asserted.length });
  }

  async #assert(session: Session): Promise<void> {
    if (session.ended) return;
    await this.#host.assert(session);
    if (!session.ended && session.backlog?.resumable) this.#host.changed(session);
  }
}
