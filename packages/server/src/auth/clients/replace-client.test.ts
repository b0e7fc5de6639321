import { randomUUID } from 'node:crypto';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import { afterEach, describe, expect, test } from 'vitest';
import { startRedis } from '../../../../../tests/services/redis.ts';
import { clientKeys } from './client-store.ts';
import { replaceClient } from './replace-client.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describe.each([
  ['the embedded keyspace', async () => (await openEmbedded(undefined, {})).keyspace],
  [
    'Redis',
    async () => {
      const server = await startRedis();
      ends.push(server.stop);
      return (await openRedis(server.url, {})).keyspace;
    },
  ],
])('in %s', (_, open: () => Promise<Keyspace>) => {
  test('a client is what it was made, where it was what it was thought to be', async () => {
    const keyspace = await open();
    ends.unshift(() => keyspace.close());
    const key = clientKeys.key(`juliet@${randomUUID()}`);
    const replace = (client: string, before: string, after: string, most = 2) =>
      keyspace.call(replaceClient, [key], [client, before, after, most, 60_000]);
    const kept = async () => [...(await keyspace.hgetall(key))].map(([id, text]) => `${id}=${text}`).sort();

    expect(await replace('a', '', '1')).toBe('done');
    expect(await replace('a', '', '2')).toBe('changed');
    expect(await replace('a', '2', '3')).toBe('changed');
    expect(await replace('a', '1', '3')).toBe('done');
    expect(await replace('b', '', '1')).toBe('done');
    expect(await replace('c', '', '1')).toBe('full');
    expect(await replace('b', '1', '2')).toBe('done');
    expect(await kept()).toEqual(['a=3', 'b=2']);
    expect(await replace('a', '1', '')).toBe('changed');
    expect(await replace('a', '3', '')).toBe('done');
    expect(await replace('c', '', '1')).toBe('done');
    expect(await kept()).toEqual(['b=2', 'c=1']);
    expect(await replace('nobody', 'x', '')).toBe('changed');
  });
});
