import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import { openEmbedded } from '../embedded/open-embedded.ts';
import type { Keyspace } from '../keyspace.ts';
import { openKeyspace } from '../open.ts';
import { freshKeys } from './fresh-keys.ts';
import { dump, type Step, steps, take } from './random-steps.ts';

/** Takes all steps at once, as a busy node does: the order in which they are issued is the order of execution. */
const takeAll = (list: Step[], keyspace: Keyspace, key: (name: string) => string) =>
  Promise.all(list.map((step) => take(step, keyspace, key)));

/** Registers the tests that compare the implementations, each so often. */
export function differential(runs: number): void {
  let redis: Redis;
  let inRedis: Keyspace;
  const folder = mkdtempSync(join(tmpdir(), 'parley-differential-'));

  beforeAll(async () => {
    redis = await startRedis();
    inRedis = (await openKeyspace(redis.url)).keyspace;
  });

  afterAll(async () => {
    await inRedis.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('in memory and in Redis everything comes out the same', async () => {
    const { keyspace } = await openKeyspace('embedded::memory:');
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const key = freshKeys();
        const [expected, found] = await Promise.all([takeAll(list, inRedis, key), takeAll(list, keyspace, key)]);
        expect(found).toEqual(expected);
        expect(await dump(keyspace, key)).toEqual(await dump(inRedis, key));
      }),
      { numRuns: runs },
    );
    await keyspace.close();
  });

  test('on disk too, and after it was closed and opened again at any point', async () => {
    const directory = join(folder, 'store');
    let opened = await openEmbedded(directory, {});
    const reopen = async () => {
      await opened.keyspace.close();
      opened = await openEmbedded(directory, {});
    };
    await fc.assert(
      fc.asyncProperty(steps, steps, fc.boolean(), async (before, after, snapshot) => {
        const key = freshKeys();
        for (const list of [before, after]) {
          const [expected, found] = await Promise.all([
            takeAll(list, inRedis, key),
            takeAll(list, opened.keyspace, key),
          ]);
          expect(found).toEqual(expected);
          if (snapshot) opened.disk?.snapshot();
          await reopen();
          expect(await dump(opened.keyspace, key)).toEqual(await dump(inRedis, key));
        }
      }),
      { numRuns: Math.ceil(runs / 40) },
    );
    await opened.keyspace.close();
  });
}
