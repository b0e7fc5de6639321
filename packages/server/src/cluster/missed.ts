import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import { untilDone } from '../session/attempts.ts';
import { UNORDERED } from '../session/origins.ts';
import type { Route } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';

export interface MissedHost {
  readonly sessions: Pick<Sessions, 'owned' | 'remote'>;
  /** Looks in the keyspace which sessions an account has. */
  refresh(account: Jid): Promise<void>;
  /** Has a stanza go where it would go now. */
  forward(stanza: Stanza): Awaitable<void>;
  /** Resolves when another attempt on a keyspace that failed is worth it. */
  again(): Promise<void>;
}

/**
 * Messages for several sessions of an account that some of them took, and others missed, since they were over before it came.
 *
 * What a session leaves behind is dropped where another one has it. A session that took the message and ended since then
 * may have counted on one that missed it: then nobody has it, and it goes on from here. Each of the two looks in the keyspace
 * after the record of the other was due to be gone, so that one of them sees that it is.
 */
export class Missed {
  readonly #host: MissedHost;

  constructor(host: MissedHost) {
    this.#host = host;
  }

  async by(stanza: Stanza, takers: readonly Route[]): Promise<void> {
    const { sessions, refresh, forward, again } = this.#host;
    if (stanza.kind !== 'message' || stanza.to?.isBare !== true) return;
    const account = stanza.to;
    if (takers.some((taker) => sessions.owned(taker) !== undefined)) return;
    if (takers.some(({ sessionId }) => sessions.remote(sessionId) !== undefined)) {
      await untilDone(() => refresh(account), again);
      if (takers.some((taker) => (sessions.owned(taker) ?? sessions.remote(taker.sessionId)) !== undefined)) return;
    }
    // that somebody got later ones of the same sender says nothing about it
    const { origin } = stanza;
    await forward(stanza.withOrigin(origin && { ...origin, effect: UNORDERED }));
  }
}
