import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test } from 'vitest';
import { ClientStore, clientKeys } from './client-store.ts';

const juliet = Jid.parse('juliet@localhost');
const limits = { most: 2, ttl: 60_000 };

let keyspace: Awaited<ReturnType<typeof openEmbedded>>['keyspace'];
let store: ClientStore;
let now: number;

beforeEach(async () => {
  now = 5;
  ({ keyspace } = await openEmbedded(undefined, {}));
  store = new ClientStore(
    keyspace,
    () => limits,
    () => now,
  );
  return () => keyspace.close();
});

const put = (client: string, seen: number) => store.change(juliet, client, () => ({ since: 1, seen }));
const ids = async () => [...(await store.all(juliet)).keys()].sort();

test('a client is kept, changed and removed', async () => {
  expect(await store.get(juliet, 'a')).toBeUndefined();
  expect(await put('a', 1)).toBe(true);
  expect(await store.change(juliet, 'a', (record) => record && { ...record, seen: 2 })).toBe(true);
  expect(await store.get(juliet, 'a')).toEqual({ since: 1, seen: 2 });
  expect(await store.change(juliet, 'a', () => undefined)).toBe(false);
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
  const changed = store.change(juliet, 'a', (record) => {
    if (asked++ === 0) void keyspace.hset(clientKeys.key('juliet@localhost'), [['a', '{"since":1,"seen":5}']]);
    return record && { ...record, seen: record.seen + 1 };
  });
  expect(await changed).toBe(true);
  expect([asked, await store.get(juliet, 'a')]).toEqual([2, { since: 1, seen: 6 }]);
});

test('whoever was away for longer than is remembered is forgotten when another one comes', async () => {
  await put('a', 5);
  now = 60_006;
  await put('b', now);
  expect(await ids()).toEqual(['b']);
});

test('all are changed, and of whom nothing is left they are removed', async () => {
  await put('a', 1);
  await put('b', 1);
  await store.changeAll(juliet, (record, id) => (id === 'a' ? { ...record, password: true } : undefined));
  expect(await ids()).toEqual(['a']);
  expect(await store.get(juliet, 'a')).toMatchObject({ password: true });
});
