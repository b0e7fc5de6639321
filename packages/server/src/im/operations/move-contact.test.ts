import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { moveContact } from './move-contact.ts';

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

  it('changes both items at once where they are as known', async () => {
    const key = 'roster:{p1}:romeo@x';
    const before = await keyspace.now();
    const move = (...args: (string | number)[]) => keyspace.call(moveContact, [key], ['a@x', 'b@x', ...args]);
    await keyspace.hset(key, [
      ['a@x', '5\0b\0A'],
      ['c@x', '7\0n\0'],
      ['#', '7 3'],
    ]);
    expect(await move(4, '', 'b\0A')).toBe(0);
    expect(await move(5, 2, 'b\0A')).toBe(0);
    const version = await move(5, '', 'b\0A\0g');
    expect(version).toBeGreaterThanOrEqual(before);
    expect(
      Object.fromEntries([...(await keyspace.hgetall(key))].map(([field, text]) => [field, String(text)])),
    ).toEqual({
      'b@x': `${version}\0b\0A\0g`,
      'c@x': '7\0n\0',
      '#': `${version} ${version}`,
    });
    expect(await move(5, '', 'b\0A')).toBe(0);
    await keyspace.hset(key, [['a@x', '9\0t\0']]);
    expect(await move(9, version, '')).toBeGreaterThan(version);
    expect([...(await keyspace.hgetall(key)).keys()].sort()).toEqual(['#', 'b@x', 'c@x']);
  });
});
