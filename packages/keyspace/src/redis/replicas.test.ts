import { expect, onTestFinished, test, vi } from 'vitest';
import { hashTag } from '../key.ts';
import { openKeyspace } from '../open.ts';
import { pushBounded } from '../testing/example-operations.ts';
import { OwnCluster } from '../testing/own-cluster.ts';
import { OwnRedis } from '../testing/own-redis.ts';
import { SLOTS, slotOf } from './slot.ts';

async function start() {
  const primary = await OwnRedis.start(['--repl-diskless-sync-delay', '0']);
  const replica = await OwnRedis.start(['--replicaof', '127.0.0.1', String(primary.port)]);
  const { keyspace } = await openKeyspace(primary.url, { deadline: 2000, replicas: 1 });
  onTestFinished(() => keyspace.close());
  // until the replica is in step, nothing is taken
  await vi.waitFor(() => keyspace.set('a', '1'), { timeout: 20_000, interval: 20 });
  return { replica, keyspace };
}

test('nothing counts as done before a replica has it', async () => {
  const { replica, keyspace } = await start();
  await keyspace.set('a', '2');
  expect(await replica.askAll('GET', 'a')).toContain('2');
  expect(await keyspace.call(pushBounded, ['l'], [5, 'x', 'n1'])).toBe(1);
  expect(await replica.ask('LLEN', 'l')).toBe(':1');
});

test('nobody knows what becomes of writes while the replica is gone, reads go on, and so does all when it is back', async () => {
  const { replica, keyspace } = await start();
  replica.freeze();
  await expect(keyspace.set('a', '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  expect([keyspace.state, keyspace.trouble?.failure]).toEqual(['down', 'slow']);
  expect(String(await keyspace.get('a'))).toBe('2');
  await expect(
    keyspace.batch(
      [
        ['set', 'a', '3'],
        ['get', 'a'],
      ],
      { atomic: true },
    ),
  ).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  replica.thaw();
  await vi.waitFor(() => expect(keyspace.state).toBe('up'), { timeout: 10_000, interval: 20 });
  await keyspace.set('a', '4');
  expect(await replica.askAll('GET', 'a')).toContain('4');
});

test('in a cluster, each server waits for its own replicas', async () => {
  const { url, replicas } = await OwnCluster.start({ primaries: 2, replicas: 2 });
  const { keyspace } = await openKeyspace(url, { deadline: 2000, replicas: 1 });
  onTestFinished(() => keyspace.close());
  const [first, second] = ['p2', 'p0'].map((tag) => `{${tag}}a`) as [string, string]; // in the first and the second half
  expect([first, second].map((key) => slotOf(hashTag(key)) < SLOTS / 2)).toEqual([true, false]);
  await Promise.all([keyspace.set(first, '1'), keyspace.set(second, '1')]);
  replicas[1]?.freeze();
  await expect(keyspace.set(second, '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  await keyspace.set(first, '2');
  replicas[1]?.thaw();
  await vi.waitFor(() => keyspace.set(second, '3'), { timeout: 10_000, interval: 20 });
});
