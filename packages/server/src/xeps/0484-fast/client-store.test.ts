import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test } from 'vitest';
import { ClientStore, clientKeys } from './client-store.ts';

const juliet = Jid.parse('juliet@localhost');
const limits = { most: 2, ttl: 60_000 };

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let store: ClientStore;

beforeEach(async () => {
  ({ keyspace } = await openEmbedded(undefined, {}));
  store = new ClientStore(keyspace);
  return () => keyspace.close();
});

const put = (client: string, seen: number) => store.change(juliet, client, limits, () => ({ since: 1, seen }));
const ids = async () => [...(await store.all(juliet)).keys()].sort();

test('a client is kept, changed and removed', async () => {
  expect(await store.get(juliet, 'a')).toBeUndefined();
  expect(await put('a', 1)).toBe(true);
  expect(await store.change(juliet, 'a', limits, (record) => record && { ...record, seen: 2 })).toBe(true);
  expect(await store.get(juliet, 'a')).toEqual({ since: 1, seen: 2 });
  expect(await store.change(juliet, 'a', limits, () => undefined)).toBe(false);
  await put('b', 1);
  await store.remove(juliet, 'a');
  expect(await ids()).toEqual(['b']);
  await store.removeAll(juliet);
  expect(await ids()).toEqual([]);
});

test('one that was away longest makes room', async () => {
  await put('a', 2);
  await put('b', 1);
  expect(await put('c', 3)).toBe(true);
  expect(await ids()).toEqual(['a', 'c']);
});

test('what another node has changed meanwhile is not lost', async () => {
  await put('a', 1);
  let asked = 0;
  const changed = store.change(juliet, 'a', limits, (record) => {
    if (asked++ === 0) void keyspace.hset(clientKeys.key('juliet@localhost'), [['a', '{"since":1,"seen":5}']]);
    return record && { ...record, seen: record.seen + 1 };
  });
  expect(await changed).toBe(true);
  expect([asked, await store.get(juliet, 'a')]).toEqual([2, { since: 1, seen: 6 }]);
});
