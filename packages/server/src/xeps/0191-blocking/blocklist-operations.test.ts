import { randomUUID } from 'node:crypto';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../../../tests/services/redis.ts';
import { blockAddresses, unblockAddresses } from './blocklist-operations.ts';
import { blocklistKeys } from './blocklist-store.ts';

async function embedded(): Promise<Keyspace> {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  return keyspace;
}

async function redis(): Promise<Keyspace> {
  const server = await startRedis();
  const { keyspace } = await openRedis(server.url, {});
  onTestFinished(async () => {
    await keyspace.close();
    await server.stop();
  });
  return keyspace;
}

const jids = fc.uniqueArray(fc.constantFrom<string[]>('a@x', 'b@x', 'c@x/r', 'd.x', 'ç@x'), { maxLength: 4 });
const step = fc.oneof(fc.record({ block: jids }), fc.record({ unblock: jids }));
const MOST = 3;

describe.each([
  ['JavaScript', embedded],
  ['Lua', redis],
])('the operations of blocklists in %s', (_, open) => {
  it('add all or none, and tell what changed', async () => {
    const keyspace = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const key = blocklistKeys.key(`${randomUUID()}@capulet.lit`);
        let model: string[] = [];
        for (const next of steps) {
          if ('block' in next) {
            const added = next.block.filter((jid) => !model.includes(jid));
            const fits = model.length + added.length <= MOST;
            expect(await keyspace.call(blockAddresses, [key], [MOST, ...next.block])).toEqual(fits ? added : 'full');
            if (fits) model.push(...added);
          } else {
            const gone = next.unblock.length === 0 ? model : model.filter((jid) => next.unblock.includes(jid));
            const told = await keyspace.call(unblockAddresses, [key], next.unblock);
            expect(told.sort()).toEqual([...gone].sort());
            model = model.filter((jid) => !gone.includes(jid));
          }
          expect([...(await keyspace.hgetall(key)).keys()].sort()).toEqual([...model].sort());
        }
      }),
      { numRuns: 40 },
    );
  });
});
