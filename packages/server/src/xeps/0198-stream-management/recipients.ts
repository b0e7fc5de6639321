import { hasHint } from '@parley/xmpp/hints';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { untilDone } from '../../session/attempts.ts';
import type { OtherNodes } from '../../session/other-nodes.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import type { BoundSession, Sessions } from '../../session/sessions.ts';

/** The recipients of a message are chosen a moment before it is taken for them, and rather twice than never. */
const MOMENT_MS = 10_000;

/**
 * Knows which sessions have had a message that another session of their account had not acknowledged: it must not come
 * twice to a client that was there all the time.
 */
export class Recipients {
  readonly #sessions: Sessions;
  readonly #otherNodes: OtherNodes | undefined;

  readonly #again: () => Promise<void>;

  /** `again` resolves when another attempt on a keyspace that failed is worth it. */
  constructor(sessions: Sessions, otherNodes: OtherNodes | undefined, again: () => Promise<void>) {
    this.#sessions = sessions;
    this.#otherNodes = otherNodes;
    this.#again = again;
  }

  /** Whether another session of the account has the stanza, which was taken then (milliseconds since 1970). */
  async have(stanza: Stanza, account: Jid, at: number): Promise<boolean> {
    if (stanza.kind !== 'message') return false;
    const before = at - MOMENT_MS;
    // it answers for what it has not acknowledged, too
    if (stanza.to?.isBare && (await this.#anyReceives(account, before))) return true;
    if (!isCopied(stanza)) return false;
    for (const other of this.#sessions.of(account)) {
      if (other.carbonsSince <= before && (await this.#hasAcknowledged(other, at))) return true;
    }
    return false;
  }

  /** Whether another session gets the messages of the account, and has got them since then. */
  async #anyReceives(account: Jid, since: number): Promise<boolean> {
    const found = () => this.#sessions.of(account).filter(({ receivingSince }) => receivingSince <= since);
    const others = found();
    if (others.length === 0) return false;
    if (this.#otherNodes === undefined || others.some((other) => !(other instanceof RemoteSession))) return true;
    // it may be over as well, and count on the session that left this
    const otherNodes = this.#otherNodes;
    await untilDone(() => otherNodes.refresh(account), this.#again);
    return found().length > 0;
  }

  /** Copies that a session leaves behind go nowhere: only what its client has is safe. */
  async #hasAcknowledged(session: BoundSession, at: number): Promise<boolean> {
    if (session instanceof RemoteSession) return (await this.#otherNodes?.hasAcknowledged(session, at)) === true;
    return session.hasAcknowledged(at);
  }
}

/** Surely one of those that XEP-0280 §6.1 has copied. */
const isCopied = (stanza: Stanza): boolean =>
  stanza.type === 'chat' &&
  stanza.child('private', NS.carbons) === undefined &&
  stanza.child('x', NS.mucUser) === undefined &&
  !hasHint(stanza, 'no-copy');
