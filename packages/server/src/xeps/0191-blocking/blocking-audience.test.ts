import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { AccountRoster } from '../../im/account-roster.ts';
import { DirectedPresence } from '../../im/directed-presence.ts';
import type { RosterItem } from '../../im/roster-item.ts';
import type { Subscription } from '../../im/subscription-state.ts';
import { contactsConcerned, targetsConcerned } from './blocking-audience.ts';
import { Blocklist } from './blocklist.ts';

const contact = (jid: string, subscription: Subscription): [string, RosterItem] => [
  jid,
  { jid: Jid.parse(jid), subscription, ask: false, approved: false, name: undefined, groups: [], version: 1 },
];

const roster = new AccountRoster(
  new Map([
    contact('romeo@montague.net', 'both'),
    contact('benvolio@montague.net', 'from'),
    contact('mercutio@montague.net', 'to'),
    contact('nurse@capulet.lit', 'from'),
  ]),
  new Set(),
  1,
  0,
);

it.each([
  ['a contact', ['romeo@montague.net'], [], 'romeo@montague.net'],
  ['a domain', ['montague.net'], [], 'romeo@montague.net benvolio@montague.net'],
  ['somebody who gets no presence', ['mercutio@montague.net', 'paris@verona.lit'], [], ''],
  ['one resource', ['romeo@montague.net/orchard'], [], 'romeo@montague.net/orchard'],
  ['one resource of a stranger', ['paris@verona.lit/tomb'], [], ''],
  ['a contact and a resource of it', ['romeo@montague.net/orchard', 'romeo@montague.net'], [], 'romeo@montague.net'],
  ['a contact of a domain that is blocked', ['romeo@montague.net'], ['montague.net'], ''],
  ['a domain of which a contact is blocked', ['montague.net'], ['romeo@montague.net'], 'benvolio@montague.net'],
  ['a resource of a contact that is blocked', ['romeo@montague.net/hall'], ['romeo@montague.net'], ''],
])('%s', (_, changed, rest, expected) => {
  const heard = contactsConcerned(
    roster,
    changed.map((jid) => Jid.parse(jid)),
    new Blocklist(rest),
  );
  expect(heard.join(' ')).toBe(expected);
});

it('knows who else has got presence', () => {
  const directed = new DirectedPresence();
  for (const jid of [
    'romeo@montague.net/hall',
    'mercutio@montague.net',
    'paris@verona.lit/tomb',
    'nurse@capulet.lit',
  ]) {
    directed.add(Jid.parse(jid), 10);
  }
  const concerned = (list: string[], rest: string[] = []) =>
    targetsConcerned(roster, directed, new Blocklist(list), new Blocklist(rest)).join(' ');
  expect(concerned(['montague.net'])).toBe('mercutio@montague.net');
  expect(concerned(['paris@verona.lit'])).toBe('paris@verona.lit/tomb');
  expect(concerned(['paris@verona.lit'], ['verona.lit'])).toBe('');
  expect(targetsConcerned(roster, undefined, new Blocklist(['montague.net']), Blocklist.EMPTY)).toEqual([]);
});
