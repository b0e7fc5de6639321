import { isOnlyChatState } from '@parley/xmpp/chat-state';
import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';

/**
 * A stanza that can wait until somebody looks has a key: of those with the same key only the last is worth sending. For
 * `account`, whose client it goes to. Undefined where it is important.
 */
export function keyOfUnimportant(stanza: Stanza, account: Jid): string | undefined {
  const { kind, type, from } = stanza;
  if (kind === 'presence') {
    return (type === undefined || type === 'unavailable') && !isOwnInRoom(stanza) ? `presence ${from}` : undefined;
  }
  if (kind !== 'message') return undefined;
  if (isOnlyChatState(stanza.children)) return `state ${from}`;
  const copy = from?.equals(account) === true ? stanza.childOf(NS.carbons) : undefined;
  return copy && keyOfCopy(copy);
}

/** A copy of a chat state (XEP-0280) is worth no more than the state itself. */
function keyOfCopy(copy: Element): string | undefined {
  const message = copy.child('forwarded', NS.forward)?.child('message', NS.client);
  if (message === undefined || !isOnlyChatState(message.children)) return undefined;
  return `${copy.name} ${message.attr('from')} ${message.attr('to')}`;
}

/** What a room says of the client itself (XEP-0045, status 110): it was let in, renamed or thrown out. */
function isOwnInRoom(presence: Stanza): boolean {
  const statuses = presence.child('x', NS.mucUser)?.elements ?? [];
  return statuses.some((element) => element.is('status', NS.mucUser) && element.attr('code') === '110');
}
