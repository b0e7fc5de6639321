import { isOnlyChatState } from '@parley/xmpp/chat-state';
import { hasHint } from '@parley/xmpp/hints';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { isQueue } from './resumption/resumption-keys.ts';

/** Answers that are larger are asked for again by the client. */
const LARGEST_ANSWER = 8192;

const SUBSCRIPTION = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']);

/**
 * What must reach a resumable session even if this process dies: messages but for those that tell only of a moment,
 * subscriptions, answers to what the client asked, and pushes. The rest can be had again.
 */
export function isJournaled(stanza: Stanza, size: number): boolean {
  switch (stanza.kind) {
    case 'message':
      return !isOnlyChatState(stanza.children) && !hasHint(stanza, 'no-store');
    case 'presence':
      return stanza.type !== undefined && SUBSCRIPTION.has(stanza.type);
    case 'iq':
      if (stanza.type === 'set') return isPush(stanza);
      return (stanza.type === 'result' || stanza.type === 'error') && size <= LARGEST_ANSWER;
  }
}

/** The same for whichever session: another server gets requests, too, whose senders count on an answer. */
export const isJournaledFor = (account: Jid, stanza: Stanza, size: number): boolean =>
  isJournaled(stanza, size) ||
  (isQueue(account) && stanza.kind === 'iq' && (stanza.type === 'get' || stanza.type === 'set'));

/** Roster and blocklist pushes come from the account itself, or from nobody. */
function isPush({ payload }: Stanza): boolean {
  return payload?.ns === NS.roster || payload?.ns === NS.blocking;
}
