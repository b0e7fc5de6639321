import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { JULIET, partHost } from '../../../../tests/support/part-host.ts';
import { addContacts, type Contact } from './roster-additions.ts';
import { rosterPart } from './roster-part.ts';
import { rosterKeys } from './roster-store.ts';

const contact = (jid: string, more: Partial<Contact> = {}): Contact => ({
  jid: Jid.parse(jid),
  subscription: 'none',
  ask: false,
  approved: false,
  name: undefined,
  groups: [],
  ...more,
});

it('adds what is not there, and loses neither names nor subscriptions', async () => {
  const host = await partHost(rosterPart);
  expect(await addContacts(JULIET, [contact('a@x', { name: 'A', subscription: 'to' }), contact('b@x')], host)).toBe(0);
  expect(await addContacts(JULIET, [contact('a@x', { name: 'B', subscription: 'from', groups: ['g'] })], host)).toBe(0);
  const items = [
    "<item jid='a@x' name='A' subscription='both'><group>g</group></item>",
    "<item jid='b@x' subscription='none'/>",
  ];
  expect(await host.written()).toBe(`<query xmlns='jabber:iq:roster'>${items.join('')}</query>`);
});

it('changes nothing where there is nothing new, and keeps to the limit', async () => {
  const host = await partHost(rosterPart, { roster: { maxItems: 600 } });
  const many = Array.from({ length: 700 }, (_, n) => contact(`u${n}@x`));
  expect(await addContacts(JULIET, many, host)).toBe(100);
  const head = () => host.keyspace.hget(rosterKeys.key(JULIET.bareText), '#');
  const before = await head();
  expect(before).toBeDefined();
  expect(await addContacts(JULIET, many.slice(0, 600), host)).toBe(0);
  expect(await head()).toEqual(before);
});
