import { expect, onTestFinished, test, vi } from 'vitest';
import { openKeyspace } from '../open.ts';
import { pushBounded } from '../testing/example-operations.ts';
import { OwnRedis } from '../testing/own-redis.ts';

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
