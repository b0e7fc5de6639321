import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { HEAD } from './change-roster.ts';
import { putContacts } from './put-contacts.ts';

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

  it('puts all in with one new version, where the roster is what is known', async () => {
    const key = 'roster:{p1}:put@x';
    const kept = async () =>
      Object.fromEntries([...(await keyspace.hgetall(key))].map(([field, value]) => [field, String(value)]));
    expect(await keyspace.call(putContacts, [key], ['7 0', 'a@x', 'n\0'])).toBe(false);
    expect(await kept()).toEqual({});
    expect(await keyspace.call(putContacts, [key], ['', 'a@x', 'n\0A', 'b@x', 'b\0\0g'])).toBe(true);
    const version = Number.parseInt(String(await keyspace.hget(key, HEAD)), 10);
    expect(await kept()).toEqual({
      'a@x': `${version}\0n\0A`,
      'b@x': `${version}\0b\0\0g`,
      '#': `${version} 0`,
    });
    const ahead = version + 1_000_000;
    await keyspace.hset(key, [[HEAD, `${ahead} 5`]]);
    expect(await keyspace.call(putContacts, [key], [`${version} 0`, 'a@x', 't\0'])).toBe(false);
    expect(await keyspace.call(putContacts, [key], [`${ahead} 5`, 'a@x', 't\0'])).toBe(true);
    expect(await kept()).toEqual({
      'a@x': `${ahead + 1}\0t\0`,
      'b@x': `${version}\0b\0\0g`,
      '#': `${ahead + 1} 5`,
    });
  });
});
