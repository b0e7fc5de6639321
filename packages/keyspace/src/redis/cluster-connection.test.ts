import { expect, onTestFinished, test, vi } from 'vitest';
import { type Bus, EVERY_NODE, type LinkEvent } from '../bus.ts';
import { accountKey, hashTag } from '../key.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { type Opened, openKeyspace } from '../open.ts';
import { compareAndSet, pushBounded } from '../testing/example-operations.ts';
import { OwnCluster } from '../testing/own-cluster.ts';
import type { OwnRedis } from '../testing/own-redis.ts';
import { readRedirection, readSlots, SLOTS, slotOf } from './slot.ts';

async function open(url: string, options: KeyspaceOptions = {}): Promise<Opened> {
  const opened = await openKeyspace(url, options);
  onTestFinished(() => opened.keyspace.close());
  return opened;
}

const accounts = Array.from({ length: 50 }, (_, index) => `user${index}@montague.lit`);
const keys = accounts.map((bare) => accountKey('test', bare));

test('slots are those of Redis', () => {
  // CLUSTER KEYSLOT
  expect(['global', 'p0', 'p1023', 'n:*', ''].map(slotOf)).toEqual([10408, 15882, 10169, 12060, 0]);
});

test('what a server says of the others is read, where it names none of its own too', () => {
  const reply = [
    [0, 5, [Buffer.from('10.0.0.1'), 6379, Buffer.from('id')], [Buffer.from('10.0.0.2'), 6379]],
    [6, 9, [null, 1]],
    [10, 10, ['', 2]],
    [11, 11, ['?', 3]],
  ];
  expect(readSlots(reply, 'asked').map(({ first, last, host, port }) => [first, last, host, port])).toEqual([
    [0, 5, '10.0.0.1', 6379],
    [6, 9, 'asked', 1],
    [10, 10, 'asked', 2],
    [11, 11, 'asked', 3],
  ]);
  expect(readRedirection('MOVED 3999 127.0.0.1:6381', 'x')).toEqual({
    ...{ kind: 'MOVED', slot: 3999, host: '127.0.0.1', port: 6381 },
  });
  expect(readRedirection('ASK 1 ::1:7', 'x')).toMatchObject({ kind: 'ASK', host: '::1', port: 7 });
  expect(readRedirection('MOVED 1 :7', 'x')).toMatchObject({ host: 'x' });
  expect(readRedirection('ERR MOVED', 'x')).toBeUndefined();
});

/** What the bus says of the link, from `up` on. */
function eventsOf(bus: Bus): LinkEvent[] {
  const events: LinkEvent[] = [];
  bus.onLink((event) => events.push(event));
  return events;
}

test('a cluster whose primary is replaced, or started again: that is told, and all goes on', async () => {
  const cluster = await OwnCluster.start({ primaries: 3, replicas: 1, nodeTimeoutMs: 4000 });
  const [first, second] = cluster.primaries as [OwnRedis, OwnRedis];
  const { keyspace, bus } = await open(cluster.url, { node: 'n1', deadline: 30_000 });
  const frames: string[] = [];
  bus.onPush((frame) => frames.push(String(frame)));
  const events = eventsOf(bus);
  await Promise.all(keys.map((key) => keyspace.hset(key, [['n', 'x']])));
  const inStep = async () => expect(await cluster.replicas[0]?.ask('DBSIZE')).toBe(await first.ask('DBSIZE'));
  await vi.waitFor(inStep, { interval: 20 });
  await first.kill();
  await vi.waitFor(() => expect(events).toEqual(['up', 'down', 'storeChanged', 'up']), { interval: 10 });
  await vi.waitFor(() => expect(keyspace.state).toBe('up'), { interval: 10 });
  // each server hears for itself that the cluster is complete again
  for (const key of keys) {
    await vi.waitFor(async () => expect(String(await keyspace.hget(key, 'n'))).toBe('x'), { interval: 10 });
  }
  for (const [index, bare] of accounts.entries()) {
    expect(await bus.publish('n1', Buffer.from(`frame ${index}`))).toBe(1);
    await keyspace.call(pushBounded, [accountKey('list', bare)], [1, bare, 'n1']);
  }
  await bus.publish(EVERY_NODE, Buffer.from('all'));
  await vi.waitFor(() => expect(frames).toHaveLength(2 * accounts.length + 1), { interval: 10 });

  await second.kill();
  await second.start(); // it has forgotten everything
  await vi.waitFor(() => expect(events.slice(4)).toEqual(['down', 'storeChanged', 'up']), { interval: 10 });
  await vi.waitFor(() => expect(keyspace.state).toBe('up'), { interval: 10 });
  for (const key of keys) await vi.waitFor(() => keyspace.hset(key, [['n', 'again']]), { interval: 10 });
});

test('a cluster whose slots move: commands and frames follow them, and nothing counts as lost', async () => {
  const cluster = await OwnCluster.start({ primaries: 2, nodeTimeoutMs: 60_000 });
  const { keyspace, bus } = await open(cluster.url, { node: 'n1' });
  const events = eventsOf(bus);
  const frames: string[] = [];
  bus.onPush((frame) => frames.push(String(frame)));
  const key = accountKey('test', accounts[0] as string);
  const slot = slotOf(hashTag(key));
  const from = cluster.primaryOf(hashTag(key));
  const to = cluster.primaries.find((redis) => redis !== from) as OwnRedis;
  const idOf = async (redis: OwnRedis) => (await redis.askAll('CLUSTER', 'MYID')).split('\r\n')[1] ?? '';
  const [fromId, toId] = [await idOf(from), await idOf(to)];
  await keyspace.hset(key, [['n', 'here']]);

  // on its way: the key is there already, and its slot is not
  expect(await to.ask('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId)).toBe('+OK');
  expect(await from.ask('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId)).toBe('+OK');
  expect(await from.ask('MIGRATE', '127.0.0.1', String(to.port), key, '0', '60000')).toBe('+OK');
  expect(String(await keyspace.hget(key, 'n'))).toBe('here');
  expect(await keyspace.call(compareAndSet, [key], [0, 'n', 'there'])).toEqual({ done: true, version: 1 });
  const both = [
    ['hset', key, [['m', 'too']]],
    ['hlen', key],
  ] as const;
  expect(await keyspace.batch(both, { atomic: true })).toEqual([1, 3]);
  expect(await keyspace.batch(both, { atomic: false })).toEqual([0, 3]);

  for (const redis of [to, from]) {
    expect(await redis.ask('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId)).toBe('+OK');
  }
  expect(String(await keyspace.hget(key, 'n'))).toBe('there');
  expect(await keyspace.batch(both, { atomic: true })).toEqual([0, 3]);
  expect(await keyspace.batch(both, { atomic: false })).toEqual([0, 3]);

  // the channel of this node goes as well
  const channel = String(slotOf('n:n1'));
  const [old, next] = slotOf('n:n1') < SLOTS / 2 ? cluster.primaries : cluster.primaries.toReversed();
  const nextId = await idOf(next as OwnRedis);
  for (const redis of [next, old]) {
    expect(await redis?.ask('CLUSTER', 'SETSLOT', channel, 'NODE', nextId)).toBe('+OK');
  }
  await vi.waitFor(() => expect(events).toEqual(['up', 'down', 'up']), { interval: 10 });
  expect(await bus.publish('n1', Buffer.from('still'))).toBe(1);
  await keyspace.call(pushBounded, [accountKey('list', 'a@b')], [1, 'once', 'n1']);
  await bus.publish(EVERY_NODE, Buffer.from('all'));
  await vi.waitFor(() => expect(frames.toSorted()).toEqual(['all', 'pushed once', 'still']), { interval: 10 });
});
