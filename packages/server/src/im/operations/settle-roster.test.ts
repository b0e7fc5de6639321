import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { readHead } from './change-roster.ts';
import { settleRoster } from './settle-roster.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each(['embedded', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
  });
  afterAll(() => keyspace.close());

  it('makes a version that is newer than all, and leaves no item of the account itself', async () => {
    const key = 'roster:{p1}:juliet@x';
    const settle = () => keyspace.call(settleRoster, [key], ['juliet@x', 'juliet@y']);
    expect(await settle()).toBe(false);
    const future = (await keyspace.now()) + 1_000_000;
    await keyspace.hset(key, [
      ['romeo@x', `${future}\0b\0`],
      ['nurse@x', '5\0n\0'],
      ['juliet@y', '5\0n\0'],
    ]);
    expect(await settle()).toBe(true);
    const kept = await keyspace.hgetall(key);
    expect([...kept.keys()].sort()).toEqual(['#', 'nurse@x', 'romeo@x']);
    expect(readHead(kept.get('#'))).toEqual([future + 1, future + 1]);
    expect(await settle()).toBe(true);
    expect(readHead(await keyspace.hget(key, '#'))).toEqual([future + 2, future + 2]);
  });
});
