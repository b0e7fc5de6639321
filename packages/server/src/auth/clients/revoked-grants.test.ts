import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test } from 'vitest';
import { RevokedGrants, revokedGrantKeys } from './revoked-grants.ts';

const juliet = Jid.parse('juliet@localhost');

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let revoked: RevokedGrants;

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  revoked = new RevokedGrants(keyspace);
  return () => keyspace.close();
});

const is = (client: string, granted: number) => revoked.isRevoked(juliet, client, granted);

test('what was granted before is good no more, and what comes later is', async () => {
  expect(await is('a', 0)).toBe(false);
  await revoked.add(juliet, 'a', 1000);
  expect([await is('a', 999), await is('a', 1000), await is('a', 1001)]).toEqual([true, true, false]);
  expect([await is('b', 999), await revoked.isRevoked(Jid.parse('romeo@localhost'), 'a', 0)]).toEqual([false, false]);
});

test('a token that does not say when it was granted is good no more', async () => {
  await revoked.add(juliet, 'a');
  expect(await is('a', 0)).toBe(true);
});

test('all may be shut out, and no client is mistaken for all', async () => {
  await revoked.add(juliet, '*', 1000);
  expect([await is('*', 1000), await is('a', 1000)]).toEqual([true, false]);
  await revoked.add(juliet, undefined, 2000);
  expect([await is('a', 2000), await is('', 2000), await is('a', 2001)]).toEqual([true, true, false]);
});

test('there is an end of what is kept: then all are shut out', async () => {
  for (let i = 0; i < 105; i++) await revoked.add(juliet, `client-${i}`, 1000);
  expect(await keyspace.hlen(revokedGrantKeys.key('juliet@localhost'))).toBeLessThanOrEqual(101);
  expect([await is('client-104', 1000), await is('another', 1000), await is('another', 1001)]).toEqual([
    true,
    true,
    false,
  ]);
});
