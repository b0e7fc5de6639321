import { setTimeout as pause } from 'node:timers/promises';
import { StreamError } from '@parley/xmpp/stream-error';
import { encodeOffer, OFFERED } from '../session/offer.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { encodeNotice, encodeSession, ITEM } from './items.ts';

export interface SessionRequestsHost {
  /** The id of this node. */
  readonly id: string;
  readonly sessions: Sessions;
  /** Asks another node. Resolves with its answer, or with false where it is gone. */
  ask(node: string, item: (id: number) => Buffer): Promise<boolean>;
  send(to: string, item: Buffer): void;
}

/** How long a session's owner may take to leave it to another node. */
const RELEASE_MS = 500;

/** What this node asks of others about a session: that they leave it to this one, take it, or end it. */
export class SessionRequests {
  readonly #host: SessionRequestsHost;

  constructor(host: SessionRequestsHost) {
    this.#host = host;
  }

  /** Has the owner of a session leave it to this node. False where it does not answer. */
  async release(owner: string, sid: string): Promise<boolean> {
    const late = new AbortController();
    const released = this.#host.ask(owner, (id) => encodeSession(ITEM.release, { id, sid }));
    const none = pause(RELEASE_MS, false, { signal: late.signal }).catch(() => false);
    const answered = await Promise.race([released, none]);
    late.abort();
    return answered;
  }

  /** Offers a session that was left to another node to that. Resolves when it has taken it, or is gone. */
  async offer({ sessionId: sid, account, backlog }: Session, to: string): Promise<void> {
    const text = encodeOffer({ owner: this.#host.id, sid, account, epoch: backlog?.epoch ?? 0 });
    await this.#host.ask(to, (id) => encodeNotice({ id, subject: OFFERED, text }));
  }

  /** Has a session end, here or where it is, since another session has its resource. */
  evict(owner: string, sid: string): void {
    const { sessions, id, send } = this.#host;
    const own = sessions.owned({ sessionId: sid });
    if (own !== undefined) own.end(new StreamError('conflict', 'Another session was bound with this resource.'));
    else if (owner !== id) send(owner, encodeSession(ITEM.evict, { id: 0, sid }));
  }
}
