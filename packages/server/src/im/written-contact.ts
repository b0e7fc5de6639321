import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Contact } from './roster-additions.ts';
import type { Subscription } from './subscription-state.ts';

export interface ContactLimits {
  readonly maxGroupsPerItem: number;
  readonly maxNameBytes: number;
}

const SUBSCRIPTIONS: readonly string[] = ['none', 'to', 'from', 'both'] satisfies Subscription[];

/** A contact as another server has written it (XEP-0227 §4.3), or why it cannot be taken. */
export function readContact(item: Element, account: Jid, limits: ContactLimits): Contact | string {
  const jid = Jid.tryParse(item.attr('jid') ?? '')?.bare;
  if (jid === undefined) return 'A contact has no address that is one, and is left out.';
  if (jid.equals(account)) return 'The account is a contact of its own, which is left out.';
  const subscription = item.attr('subscription') ?? 'none';
  if (!SUBSCRIPTIONS.includes(subscription)) return `The subscription of the contact ${jid} is none: it is left out.`;
  const fits = (text: string) => Buffer.byteLength(text) <= limits.maxNameBytes;
  const name = item.attr('name');
  const groups = item.elements.filter((each) => each.is('group', NS.roster)).map(({ text }) => text);
  const known = [...new Set(groups)].filter((group) => group !== '' && fits(group)).slice(0, limits.maxGroupsPerItem);
  return {
    jid,
    subscription: subscription as Subscription,
    ask: item.attr('ask') === 'subscribe' && subscription !== 'to' && subscription !== 'both',
    approved: item.attr('approved') === 'true' || item.attr('approved') === '1',
    name: name === undefined || name === '' || !fits(name) ? undefined : name,
    groups: known,
  };
}

export const sender = (element: Element): Jid | undefined => Jid.tryParse(element.attr('from') ?? '');
