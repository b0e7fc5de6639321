import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';

export interface HandoverHost {
  /** This node. */
  readonly id: string;
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly keyspace: Keyspace;
  /** Asks a node for a session. Resolves when it has left it, or cannot. */
  ask(owner: string, sid: string): Promise<unknown>;
  answer(to: string, question: number): void;
  /** Another node takes a session over. */
  onLeaving(session: Session): void;
  /** A session was left to a node. */
  onLeft(session: Session, to: string): void;
  /** Takes over what nodes that are gone had. */
  reap(isGone: (owner: string, sid: string) => boolean): Promise<void>;
  onFault(error: unknown): void;
}

/** How long a session's owner may take to leave it to another node. */
const RELEASE_MS = 500;
const LOOK_LATER_MS = 10_000;

/** How sessions go from one node to another that their clients come back to. */
export class Handover {
  readonly #host: HandoverHost;

  constructor(host: HandoverHost) {
    this.#host = host;
  }

  /** Has the owner of a session leave it to this node. Resolves when it has, or does not answer. */
  async ask(owner: string, sid: string): Promise<void> {
    const late = new AbortController();
    const released = this.#host.ask(owner, sid);
    await Promise.race([released, pause(RELEASE_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  /** Another node asks for a session of this one. */
  async onAsked(from: string, { id, sid }: { readonly id: number; readonly sid: string }): Promise<void> {
    const session = this.#host.sessions.owned({ sessionId: sid });
    if (session?.management?.resumable) {
      if (!session.detached) {
        session.release();
        session.detach('it is resumed on another node');
      }
      this.#host.onLeaving(session);
      await session.management.handOver();
      if (!session.ended) {
        session.moved('it is resumed on another node');
        this.#host.onLeft(session, from);
        setTimeout(() => void this.#checkLeft(session).catch(this.#host.onFault), LOOK_LATER_MS).unref();
      }
    }
    this.#host.answer(from, id);
  }

  /** A session was left to a node that may have died before it took it: it is this node's still. */
  async #checkLeft({ account, sessionId }: Session): Promise<void> {
    const { store, sessions, id, keyspace, reap } = this.#host;
    const found = await untilDone(
      () => store.find(account, sessionId),
      () => nextAttempt(keyspace),
    );
    if (found?.owner !== id) return;
    await reap((owner, sid) => owner === id && sid === sessionId && sessions.owned({ sessionId }) === undefined);
  }

  /** Takes back every session that the keyspace says this node has, and that nobody has. */
  async sweep(): Promise<void> {
    const { sessions, id, reap } = this.#host;
    await reap(
      (owner, sid) =>
        owner === id && sessions.owned({ sessionId: sid }) === undefined && sessions.remote(sid) === undefined,
    );
  }
}
