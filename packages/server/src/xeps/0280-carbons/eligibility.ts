import { hasHint } from '@parley/xmpp/hints';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';

/** What makes a conversation beside bodies. */
const CONVERSATION = [NS.receipts, NS.chatStates, NS.chatMarkers, NS.jingleMessage, NS.conference];

/**
 * Whether the account's other resources get a copy of a message (XEP-0280 §6.1), errors apart: those are copied where
 * what they answer was. `received`: it is for the account, not from it.
 */
export function isEligible(message: Stanza, received: boolean): boolean {
  const { type } = message;
  if (type === 'groupchat' || type === 'error') return false;
  if (message.child('private', NS.carbons) !== undefined || hasHint(message, 'no-copy')) return false;
  const muc = message.child('x', NS.mucUser);
  if (muc !== undefined && received) {
    if (muc.child('invite') !== undefined || message.childOf(NS.conference) !== undefined) return true;
    // a private message of a room, which every resource in the room gets itself
    if (message.from?.isBare === false) return false;
  }
  if (type === 'chat') return true;
  // an unknown type counts as "normal" (RFC 6121 §5.2.2)
  if (type !== 'headline' && message.child('body') !== undefined) return true;
  return muc?.child('invite') !== undefined || CONVERSATION.some((ns) => message.childOf(ns) !== undefined);
}
