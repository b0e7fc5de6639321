import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Subscription } from './subscription-state.ts';

/** A contact in a roster (RFC 6121 §2.1.2). */
export interface RosterItem {
  /** The contact: a bare JID. */
  readonly jid: Jid;
  readonly subscription: Subscription;
  /** A subscription request of the account is under way. */
  readonly ask: boolean;
  /** The contact may subscribe without being approved anew (RFC 6121 §3.4). */
  readonly approved: boolean;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  /** The version of the roster with which the item last changed. */
  readonly version: number;
}

const LETTERS: readonly (readonly [string, Subscription])[] = [
  ['n', 'none'],
  ['t', 'to'],
  ['f', 'from'],
  ['b', 'both'],
];
const ASK = '?';
const APPROVED = '+';
/** Separates the parts: no XML text holds it. */
const SEPARATOR = '\0';

const NO_GROUPS: readonly string[] = [];

/** The item as it is kept, its version apart: the subscription's letter and marks, the name, the groups. */
export function encodeItem(item: Omit<RosterItem, 'jid' | 'version'>): string {
  const letter = LETTERS.find(([, subscription]) => subscription === item.subscription)?.[0];
  const marks = `${letter}${item.ask ? ASK : ''}${item.approved ? APPROVED : ''}`;
  return [marks, item.name ?? '', ...item.groups].join(SEPARATOR);
}

/** Reads what is kept of a contact: the version, then what `encodeItem` made. The item keeps no larger text alive. */
export function decodeItem(contact: string, kept: Buffer): RosterItem {
  const [version = '', marks = '', name = '', ...groups] = parts(kept);
  const subscription = LETTERS.find(([letter]) => letter === marks[0])?.[1];
  if (subscription === undefined) throw new Error('A contact in the keyspace cannot be read.');
  return {
    jid: Jid.parse(contact),
    subscription,
    ask: marks.includes(ASK),
    approved: marks.includes(APPROVED),
    name: name === '' ? undefined : name,
    groups: groups.length === 0 ? NO_GROUPS : groups,
    version: Number(version),
  };
}

function parts(kept: Buffer): string[] {
  const texts: string[] = [];
  for (let start = 0; start <= kept.length; ) {
    const end = kept.indexOf(0, start);
    texts.push(kept.toString('utf8', start, end === -1 ? kept.length : end));
    if (end === -1) break;
    start = end + 1;
  }
  return texts;
}

/** The item as clients see it. */
export function itemElement(item: RosterItem): Element {
  const groups = item.groups.map((group) => Element.of('group', NS.roster, {}, group));
  const attributes = {
    jid: item.jid.toString(),
    name: item.name,
    subscription: item.subscription,
    ask: item.ask ? 'subscribe' : undefined,
    approved: item.approved ? 'true' : undefined,
  };
  return Element.of('item', NS.roster, attributes, ...groups);
}

/** What tells clients that a contact is gone (RFC 6121 §2.5.2). */
export function removedItemElement(contact: Jid): Element {
  return Element.of('item', NS.roster, { jid: contact.toString(), subscription: 'remove' });
}
