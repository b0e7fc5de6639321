import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished, vi } from 'vitest';
import { BlocklistStore } from './blocklist-store.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.net');
const only = new Set(['romeo@montague.net']);

async function open() {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  return { keyspace, store: new BlocklistStore(keyspace) };
}

it('has at hand what was asked for, also that nobody is blocked', async () => {
  const { keyspace, store } = await open();
  const read = vi.spyOn(keyspace, 'hgetall');
  expect(store.cached(juliet)).toBeUndefined();
  await Promise.all([store.get(juliet), store.get(juliet)]);
  expect(store.cached(juliet)?.size).toBe(0);
  expect(store.get(juliet)).not.toBeInstanceOf(Promise);
  expect(read).toHaveBeenCalledTimes(1);
});

it('shows every change to whoever asks from then on', async () => {
  const { store } = await open();
  await store.get(juliet);
  const blocking = store.block(juliet, only, 10);
  expect((await store.get(juliet)).blocks(romeo)).toBe(true);
  expect(await blocking).toEqual(['romeo@montague.net']);
  expect(store.cached(juliet)?.blocks(romeo)).toBe(true);
  const unblocking = store.unblock(juliet, new Set());
  expect((await store.get(juliet)).size).toBe(0);
  expect(await unblocking).toEqual(['romeo@montague.net']);
});

it('does not keep what was read before a change', async () => {
  const { keyspace, store } = await open();
  let late = () => {};
  const { promise } = { promise: new Promise<Map<string, Buffer>>((resolve) => (late = () => resolve(new Map()))) };
  vi.spyOn(keyspace, 'hgetall').mockReturnValueOnce(promise);
  const before = store.get(juliet);
  await store.block(juliet, only, 10);
  late();
  expect((await before).size).toBe(0);
  expect(store.cached(juliet)).toBeUndefined();
  expect((await store.get(juliet)).blocks(romeo)).toBe(true);
});

it('reads again what could not be read', async () => {
  const { keyspace, store } = await open();
  vi.spyOn(keyspace, 'hgetall').mockRejectedValueOnce(new Error('gone'));
  await expect(store.get(juliet)).rejects.toThrow('gone');
  expect((await store.get(juliet)).size).toBe(0);
});
