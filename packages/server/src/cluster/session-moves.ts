import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { LeftSession } from '../session/backlog.ts';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';

export interface SessionMovesHost {
  /** The id of this node. */
  readonly id: string;
  readonly keyspace: Keyspace;
  readonly store: ResumptionStore;
  readonly sessions: Sessions;
  /** A session is about to go. */
  onLeaving(session: Session): void;
  /** It is to be looked for on this node from now on. */
  left(session: Session, to: string): void;
  /** Has `to` take it, unless somebody else has done so. */
  offer(session: Session, to: string): Promise<unknown>;
  /** Takes over what nodes that are gone had. */
  reap(isGone: (owner: string, sid: string) => boolean): Promise<void>;
  onFault(error: unknown): void;
}

/** When whoever a session was left to must have it. */
const TAKEN_MS = 10_000;

/** A session that was left, and perhaps not taken yet. */
interface Left extends LeftSession {
  readonly account: Jid;
  /** The keyspace has it, as far as that lies with this node. */
  asserted: Promise<void>;
}

/** Leaves sessions of this node to others, with everything that their clients have not acknowledged. */
export class SessionMoves implements Disposable {
  readonly #host: SessionMovesHost;
  readonly #checks = new Set<NodeJS.Timeout>();
  readonly #left = new Map<string, Left>();
  /** What a check finds that is still under way concerns nobody any more. */
  #over = false;
  #turn = 0;

  constructor(host: SessionMovesHost) {
    this.#host = host;
  }

  /**
   * Lets go of a session that can be resumed. Resolves when everything of it is in the keyspace, where `to` takes it, or
   * whoever comes next.
   */
  async leave(session: Session, to: string | undefined, reason: string): Promise<void> {
    if (!session.backlog?.resumable || session.ended) return;
    const detach = () => {
      if (!session.detached) {
        session.release();
        session.detach(reason);
      }
      this.#host.onLeaving(session);
      return session.handling; // it counts for what the client is told
    };
    await session.backlog.handOver(detach, (what) => {
      session.moved(reason);
      this.#onLeft(session, what, to);
    });
  }

  /** Somebody has a session under this epoch: what this node left of it, if it did, is of the past. */
  taken(sid: string, epoch: number): void {
    const left = this.#left.get(sid);
    if (left !== undefined && left.record.epoch < epoch) this.#left.delete(sid);
  }

  /** Resolves when everything of a session is in the keyspace that was left before. */
  async left(sid: string): Promise<void> {
    await this.#left.get(sid)?.asserted;
  }

  /**
   * The store has lost its newest writes: what was left and nobody has taken yet it may not know. Resolves when it does.
   */
  async storeChanged(): Promise<void> {
    for (const left of this.#left.values()) {
      left.asserted = left.asserted.then(() => this.#assert(left)).catch((error) => this.#failed(error));
    }
    await Promise.all(this.#left.values().map(({ asserted }) => asserted));
  }

  async #assert(left: Left): Promise<void> {
    const { store, keyspace } = this.#host;
    const { account, record, header, entries } = left;
    await untilDone(
      async () => {
        const wanted = this.#left.get(record.sid) === left && !this.#over;
        if (wanted) await store.reassert(account, record, header, entries, { left: true });
      },
      () => nextAttempt(keyspace),
    );
  }

  /**
   * Leaves a session that can be resumed to one of the others, each time another one; where there is none, to whichever
   * node comes next. Resolves when that has taken it, or this one cannot do more about it.
   */
  async handOver(session: Session, others: readonly string[]): Promise<void> {
    const to = others[this.#turn++ % others.length];
    await this.leave(session, to, 'the node lets go of its sessions');
    if (to !== undefined) await this.#host.offer(session, to);
  }

  #failed(error: unknown): void {
    if (!this.#over) this.#host.onFault(error);
  }

  #onLeft(session: Session, what: LeftSession, to: string | undefined): void {
    const left = { ...what, account: session.account, asserted: Promise.resolve() };
    this.#left.set(session.sessionId, left);
    if (to === undefined) return; // the node ends
    this.#host.left(session, to);
    const check = setTimeout(() => {
      this.#checks.delete(check);
      const checked = this.#check(session).catch((error) => this.#failed(error));
      void checked.then(() => this.#left.get(session.sessionId) === left && this.#left.delete(session.sessionId));
    }, TAKEN_MS).unref();
    this.#checks.add(check);
  }

  /** A session was left to a node that may have died before it took it: it is this node's still. */
  async #check({ account, sessionId }: Session): Promise<void> {
    const { store, sessions, id, keyspace, reap } = this.#host;
    const found = await untilDone(
      () => this.left(sessionId).then(() => store.find(account, sessionId)),
      () => nextAttempt(keyspace),
    );
    if (found?.owner !== id) return;
    await reap((owner, sid) => owner === id && sid === sessionId && sessions.owned({ sessionId }) === undefined);
  }

  /** Takes back every session that the keyspace says this node has, and that nobody has. */
  async sweep(): Promise<void> {
    const { sessions, id, keyspace, reap } = this.#host;
    const has = (sid: string) => sessions.owned({ sessionId: sid }) ?? sessions.remote(sid);
    await untilDone(
      () => reap((owner, sid) => owner === id && has(sid) === undefined),
      () => nextAttempt(keyspace),
    );
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const check of this.#checks) clearTimeout(check);
    this.#checks.clear();
  }
}
