import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { presence } from '@parley/xmpp/stanza';
import { standalone } from '@parley/xmpp/stanza-text';
import type { AccountPart, PartHost } from '../account-part.ts';
import { HEAD } from './operations/change-roster.ts';
import { addContacts, type Contact } from './roster-additions.ts';
import { decodeItem, itemElement } from './roster-item.ts';
import { requestKeys, rosterKeys } from './roster-store.ts';
import { readContact, sender } from './written-contact.ts';

/** Prosody gives them no namespace of their own. */
const isRequest = (element: Element) => element.is('presence', NS.client) || element.is('presence', NS.portable);

/** XEP-0227 §4.3 and §4.8: the roster of an account, and the subscription requests that wait for its answer. */
export const rosterPart: AccountPart = {
  what: 'the roster',
  reads: (element) => element.is('query', NS.roster) || isRequest(element),

  async *write(account: Jid, { keyspace }: PartHost) {
    const kept = await keyspace.hgetall(rosterKeys.key(account.bareText));
    kept.delete(HEAD);
    if (kept.size > 0) {
      yield `<query xmlns='${NS.roster}'>`;
      for (const [contact, item] of kept) yield itemElement(decodeItem(contact, item)).toString(NS.roster);
      yield '</query>';
    }
    const requests = await keyspace.hgetall(requestKeys.key(account.bareText));
    for (const text of requests.values()) yield standalone(text.toString());
  },

  async read(account: Jid, element: Element, host: PartHost) {
    if (isRequest(element)) return readRequest(account, element, host);
    const problems: string[] = [];
    const contacts: Contact[] = [];
    for (const item of element.elements) {
      if (!item.is('item', NS.roster) || item.attr('subscription') === 'remove') continue;
      const contact = readContact(item, account, host.config.roster);
      if (typeof contact === 'string') problems.push(contact);
      else contacts.push(contact);
    }
    const left = await addContacts(account, contacts, host);
    if (left > 0) {
      problems.push(
        `${left} contacts are left out: a roster has at most ${host.config.roster.maxItems}. Raise roster.maxItems, and import again.`,
      );
    }
    return problems;
  },

  async clear({ bareText }: Jid, { keyspace }: PartHost) {
    await keyspace.del(rosterKeys.key(bareText), requestKeys.key(bareText));
  },
};

async function readRequest(account: Jid, element: Element, { keyspace, config }: PartHost): Promise<string[]> {
  const from = sender(element)?.bare;
  if (element.attr('type') !== 'subscribe' || from === undefined || from.equals(account)) {
    return ['Presence that is no subscription request of somebody else is left out.'];
  }
  const key = requestKeys.key(account.bareText);
  if ((await keyspace.hget(key, from.bareText)) !== undefined) return [];
  const { maxRequests, maxRequestBytes } = config.roster;
  if ((await keyspace.hlen(key)) >= maxRequests) {
    return [`A subscription request is left out: at most ${maxRequests} wait. Raise roster.maxRequests.`];
  }
  const parts = { from, to: account, type: 'subscribe', ...(element.attr('id') && { id: element.attr('id') }) };
  const whole = presence(
    parts,
    ...element.children.filter((child) => typeof child !== 'string' && child.ns !== NS.portable),
  ).toString();
  const text = Buffer.byteLength(whole) <= maxRequestBytes ? whole : presence(parts).toString();
  await keyspace.hset(key, [[from.bareText, text]]);
  return [];
}
