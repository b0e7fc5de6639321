import type { Element } from '@parley/xmpp/element';
import { Jid, JidError } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';

/** What a client asks for with a roster set: to remove a contact, or to have it with this name in these groups. */
export interface RosterSet {
  readonly contact: Jid;
  readonly remove: boolean;
  readonly name: string | undefined;
  readonly groups: readonly string[];
}

export interface RosterSetLimits {
  readonly maxGroupsPerItem: number;
  readonly maxNameBytes: number;
  onLimit(limit: 'roster-groups' | 'roster-name-bytes'): void;
}

/**
 * Reads the query of a roster set (RFC 6121 §2.3). Whatever a client says of subscriptions but "remove" is not looked
 * at. Throws a StanzaError (§2.3.3).
 */
export function readRosterSet(query: Element, account: Jid, limits: RosterSetLimits): RosterSet {
  const items = query.elements.filter((element) => element.is('item', query.ns));
  const [item] = items;
  if (item === undefined || items.length > 1) throw bad('A roster set has exactly one item.');
  const contact = contactOf(item);
  if (contact.equals(account)) throw new StanzaError('not-allowed', { text: 'You are not a contact of your own.' });
  if (item.attr('subscription') === 'remove') return { contact, remove: true, name: undefined, groups: [] };
  const name = item.attr('name');
  if (name !== undefined) checkLength(name, limits);
  return { contact, remove: false, name: name === '' ? undefined : name, groups: groupsOf(item, limits) };
}

function contactOf(item: Element): Jid {
  const text = item.attr('jid');
  if (text === undefined) throw bad('An item has a jid.');
  try {
    const jid = Jid.parse(text);
    if (jid.isBare) return jid;
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
    throw new StanzaError('jid-malformed', { text: `The jid is no address: ${error.message}.` });
  }
  throw bad('The jid of a contact has no resource.');
}

function groupsOf(item: Element, limits: RosterSetLimits): string[] {
  const groups = new Set<string>();
  for (const element of item.elements) {
    if (!element.is('group', item.ns)) continue;
    const group = element.text;
    if (group === '') throw new StanzaError('not-acceptable', { text: 'A group needs a name.' });
    checkLength(group, limits);
    if (groups.has(group)) throw bad('A group is named twice.');
    groups.add(group);
  }
  if (groups.size > limits.maxGroupsPerItem) {
    limits.onLimit('roster-groups');
    throw new StanzaError('policy-violation', { text: `A contact is in at most ${limits.maxGroupsPerItem} groups.` });
  }
  return [...groups];
}

function checkLength(name: string, limits: RosterSetLimits): void {
  if (Buffer.byteLength(name) <= limits.maxNameBytes) return;
  limits.onLimit('roster-name-bytes');
  throw new StanzaError('not-acceptable', { text: `A name has at most ${limits.maxNameBytes} bytes.` });
}

const bad = (text: string) => new StanzaError('bad-request', { text });
