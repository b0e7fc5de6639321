import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { rostersOn } from '../../../../tests/support/account-moves.ts';
import { decodeItem, encodeItem } from './roster-item.ts';
import { mergedItem, moveInRoster, rosterMoves } from './roster-moves.ts';
import { requestKeys, rosterKeys } from './roster-store.ts';

const [romeo, from, to] = ['romeo@x', 'juliet@x', 'juliet@y'].map((text) => Jid.parse(text)) as [Jid, Jid, Jid];
const item = (text: string) => decodeItem('juliet@x', Buffer.from(`1\0${text}`));

async function open() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  return keyspace;
}

it.each([
  ['n\0', 'b\0', 'b\0'],
  ['t\0Jule\0Sun', 'f\0', 'b\0Jule\0Sun'],
  ['t\0Jule\0Sun', 'f\0Lady\0Moon', 'b\0Lady\0Moon'],
  ['n?\0', 't\0', 't\0'],
  ['n+\0', 'n?\0', 'n?+\0'],
])('of a contact that was known by two addresses, as %j and as %j, makes one: %j', (old, next, both) => {
  expect(encodeItem(mergedItem(item(old), item(next)))).toBe(both);
});

it('changes nothing where the contact is unknown, and says what is there where it was changed before', async () => {
  const keyspace = await open();
  const move = { from, to };
  expect(await moveInRoster(keyspace, romeo, move)).toBeUndefined();
  const store = rostersOn(keyspace);
  const known = { subscription: 'both', ask: false, approved: false, name: 'J', groups: ['g'] } as const;
  const { version } = await store.change(romeo, from, () => ({ item: known }));
  const moved = await moveInRoster(keyspace, romeo, move);
  expect(moved).toMatchObject({ item: { ...known, jid: to, version: moved?.version } });
  expect(moved?.version).toBeGreaterThan(version);
  expect(await moveInRoster(keyspace, romeo, move)).toEqual(moved);
  const roster = await store.get(romeo);
  expect([roster.version, roster.size, roster.changedSince(version)]).toEqual([moved?.version, 1, undefined]);
});

it('takes neither the version along nor the account itself', () => {
  const [rosters, requests] = rosterMoves;
  const move = { from, to };
  const value = Buffer.from('1\0b\0');
  expect(['#', 'juliet@x', 'juliet@y', 'romeo@x'].map((field) => rosters?.convert?.(value, field, move))).toEqual([
    undefined,
    value, // somebody else has it by now
    undefined,
    value,
  ]);
  expect(rosters?.convert?.(value, 'juliet@y', { ...move, displaces: true })).toBe(value);
  const request = Buffer.from("<presence to='juliet@x' from='romeo@x' type='subscribe'/>");
  expect([rosters?.keys, requests?.keys]).toEqual([rosterKeys, requestKeys]);
  expect(String(requests?.convert?.(request, 'romeo@x', move))).toContain("to='juliet@y'");
});
