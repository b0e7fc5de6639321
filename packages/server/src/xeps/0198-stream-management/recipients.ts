import { hasHint } from '@parley/xmpp/hints';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { RemoteSession } from '../../session/remote-session.ts';
import type { Session } from '../../session/session.ts';
import type { Sessions } from '../../session/sessions.ts';

/** The recipients of a message are chosen a moment before it is taken for them, and rather twice than never. */
const MOMENT_MS = 10_000;

/**
 * Knows which sessions have had a message that another session of their account had not acknowledged: it must not come
 * twice to a client that was there all the time.
 */
export class Recipients {
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  /** Whether another session of the account has the stanza, which was taken then (milliseconds since 1970). */
  have(stanza: Stanza, account: Jid, at: number): boolean {
    if (stanza.kind !== 'message') return false;
    const before = at - MOMENT_MS;
    return this.#sessions.of(account).some((session) => {
      // it answers for what it has not acknowledged, too
      if (stanza.to?.isBare && session.receivingSince <= before) return true;
      // whether a session of another node has acknowledged its copy is not known: rather twice than never
      if (session instanceof RemoteSession) return false;
      return session.carbonsSince <= before && isCopied(stanza) && isAcknowledged(session, at);
    });
  }
}

/** Surely one of those that XEP-0280 §6.1 has copied. */
const isCopied = (stanza: Stanza): boolean =>
  stanza.type === 'chat' &&
  stanza.child('private', NS.carbons) === undefined &&
  stanza.child('x', NS.mucUser) === undefined &&
  !hasHint(stanza, 'no-copy');

/** Copies that a session leaves behind go nowhere. */
const isAcknowledged = ({ management, detached }: Session, at: number): boolean =>
  !detached && (management?.unacknowledgedSince ?? Number.POSITIVE_INFINITY) > at;
