import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EVERY_NODE } from '../bus.ts';
import { accountKey } from '../key.ts';
import type { Keyspace } from '../keyspace.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { type Opened, openKeyspace } from '../open.ts';
import { compareAndSet, pushBounded } from '../testing/example-operations.ts';
import { OwnCluster } from '../testing/own-cluster.ts';
import { freePort, OwnRedis } from '../testing/own-redis.ts';

async function open(url: string, options: KeyspaceOptions = {}): Promise<Opened> {
  const opened = await openKeyspace(url, options);
  onTestFinished(() => opened.keyspace.close());
  return opened;
}

const accounts = Array.from({ length: 50 }, (_, index) => `user${index}@montague.lit`);

async function use(k: Keyspace): Promise<void> {
  const key = (bare: string) => accountKey('test', bare);
  await Promise.all(accounts.map((bare, index) => k.hset(key(bare), [['n', String(index)]])));
  const list = accounts.map((bare) => ['hget', key(bare), 'n'] as const);
  const replies = await k.batch(list, { atomic: false });
  expect(replies.map(String)).toEqual(accounts.map((_, index) => String(index)));
  for (const bare of accounts.slice(0, 10)) {
    expect(await k.call(compareAndSet, [key(bare)], [0, 'n', 'x'])).toEqual({ done: true, version: 1 });
    const both = await k.batch(
      [
        ['hincrby', key(bare), 'version', 1],
        ['hlen', key(bare)],
      ],
      { atomic: true },
    );
    expect(both).toEqual([2, 2]);
  }
}

test('a cluster: every account in its slot, frames from everywhere', async () => {
  const { url, primaries } = await OwnCluster.start({ primaries: 2, nodeTimeoutMs: 60_000 });
  const { keyspace, bus } = await open(url, { node: 'n1' });
  await use(keyspace);
  for (const redis of primaries) expect(Number((await redis.ask('DBSIZE')).slice(1))).toBeGreaterThan(10);
  const frames: string[] = [];
  bus.onPush((frame) => frames.push(String(frame)));
  for (let count = 0; count < 4; count += 1) expect(await bus.publish('n1', Buffer.from('direct'))).toBe(1);
  expect(await bus.publish('nobody', Buffer.from('direct'))).toBe(0);
  for (const bare of accounts.slice(0, 4)) {
    await keyspace.call(pushBounded, [accountKey('list', bare)], [1, bare, 'n1']);
  }
  await bus.publish(EVERY_NODE, Buffer.from('all'));
  const expected = ['all', ...Array<string>(4).fill('direct'), ...accounts.slice(0, 4).map((bare) => `pushed ${bare}`)];
  await vi.waitFor(() => expect(frames.sort()).toEqual(expected.sort()), { interval: 10 });
});

test('a cluster that lost a node: its accounts fail, the others go on', async () => {
  const cluster = await OwnCluster.start({ primaries: 2, nodeTimeoutMs: 60_000 });
  const [first, second] = cluster.primaries as [OwnRedis, OwnRedis];
  for (const redis of cluster.primaries) await redis.ask('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
  const { keyspace } = await open(`redis+cluster://127.0.0.1:${first.port}`);
  await use(keyspace);
  await second.kill();
  const results = await Promise.allSettled(accounts.map((bare) => keyspace.hget(accountKey('test', bare), 'n')));
  const failed = results.filter(({ status }) => status === 'rejected');
  expect(failed.length).toBeGreaterThan(5);
  expect(failed.length).toBeLessThan(45);
  for (const result of failed)
    expect(result).toMatchObject({ reason: { name: 'KeyspaceError', outcome: 'not-executed' } });
});

test('a server that is no cluster is refused, in words', async () => {
  const redis = await OwnRedis.start();
  await expect(openKeyspace(`redis+cluster://127.0.0.1:${redis.port}`)).rejects.toMatchObject({
    failure: 'refused',
    message: 'Redis cannot be reached. This Redis is no cluster: write redis:// for it.',
  });
});

test('sentinels lead to the primary', async () => {
  const primary = await OwnRedis.start();
  const file = join(primary.directory, 'sentinel.conf');
  writeFileSync(file, `sentinel monitor chat 127.0.0.1 ${primary.port} 1\n`);
  const sentinel = await OwnRedis.start([], file);
  const none = await freePort();
  const { keyspace, bus } = await open(`redis+sentinel://127.0.0.1:${none},127.0.0.1:${sentinel.port}/chat`, {
    node: 'n1',
  });
  await use(keyspace);
  const frames: string[] = [];
  bus.onPush((frame) => frames.push(String(frame)));
  expect(await bus.publish('n1', Buffer.from('hello'))).toBe(1);
  await vi.waitFor(() => expect(frames).toEqual(['hello']), { interval: 10 });
});
