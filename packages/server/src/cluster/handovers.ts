import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { StreamError } from '@parley/xmpp/stream-error';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { encodeSession, ITEM, type SessionItem } from './items.ts';

export interface HandoversHost {
  /** The id of this node. */
  readonly id: string;
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly keyspace: Keyspace;
  /** Asks another node. Resolves with its answer, or with false where it is gone. */
  ask(node: string, item: (id: number) => Buffer): Promise<boolean>;
  send(to: string, item: Buffer): void;
  /** A session has just left this node for another. */
  onLeft(session: Session, node: string): void;
  /** Another node is to take a session over. */
  onLeaving(session: Session): void;
  /** Takes over what nodes that are gone had. */
  reap(isGone: (owner: string, sid: string) => boolean): Promise<void>;
  onFault(error: unknown): void;
}

/** How long a session's owner may take to leave it to another node. */
const RELEASE_MS = 500;
/** How long a node that was left a session may take to make it its own. */
const TAKE_MS = 10_000;

/** Sessions that go from one node to another, or end since another session has their resource. */
export class Handovers {
  readonly #host: HandoversHost;

  constructor(host: HandoversHost) {
    this.#host = host;
  }

  /** Has the owner of a session leave it to this node. False where it does not answer. */
  async request(owner: string, sid: string): Promise<boolean> {
    const late = new AbortController();
    const released = this.#host.ask(owner, (id) => encodeSession(ITEM.release, { id, sid }));
    const none = pause(RELEASE_MS, false, { signal: late.signal }).catch(() => false);
    const answered = await Promise.race([released, none]);
    late.abort();
    return answered;
  }

  /** Another node asks for a session. Resolves when that may take it. */
  async release(from: string, { sid }: Pick<SessionItem, 'sid'>): Promise<void> {
    const { sessions, onLeaving, onLeft, onFault } = this.#host;
    const session = sessions.owned({ sessionId: sid });
    if (!session?.management?.resumable) return;
    if (!session.detached) {
      session.release();
      session.detach('it is resumed on another node');
    }
    onLeaving(session);
    await session.management.handOver();
    if (session.ended) return;
    session.moved('it is resumed on another node');
    onLeft(session, from);
    setTimeout(() => void this.#checkLeft(session).catch(onFault), TAKE_MS).unref();
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

  /** Has a session end, here or where it is. */
  evict(owner: string, sid: string): void {
    const { sessions, id, send } = this.#host;
    const own = sessions.owned({ sessionId: sid });
    if (own !== undefined) own.end(new StreamError('conflict', 'Another session was bound with this resource.'));
    else if (owner !== id) send(owner, encodeSession(ITEM.evict, { id: 0, sid }));
  }
}
