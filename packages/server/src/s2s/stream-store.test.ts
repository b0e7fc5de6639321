import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../../tests/services/redis.ts';
import { StreamStore } from './stream-store.ts';

const [SID, OTHER] = ['a'.repeat(16), 'b'.repeat(16)] as [string, string];
const at = (handled: number, epoch = 1) => ({ sid: SID, epoch, handled, seconds: 60 });

describe.each(['JavaScript', 'Lua'])('streams that can be resumed, in %s', (kind) => {
  let keyspace: Keyspace;
  let one: StreamStore;
  let two: StreamStore;

  beforeEach(async () => {
    const redis = kind === 'Lua' ? await startRedis() : undefined;
    ({ keyspace } = await openKeyspace(redis?.url ?? 'embedded::memory:'));
    onTestFinished(async () => {
      await keyspace.close();
      await redis?.stop();
    });
    one = new StreamStore(keyspace, '1'.repeat(16));
    two = new StreamStore(keyspace, '2'.repeat(16));
  });

  it('go from node to node as they are', async () => {
    expect(await one.claim(SID)).toBeUndefined();
    expect(await one.ownerOf(SID)).toBeUndefined();
    expect(await one.keep(at(0), true)).toBe(true);
    expect(await one.keep(at(5), true)).toBe(true);
    expect(await two.ownerOf(SID)).toBe(one.owner);
    expect(await two.claim(SID)).toEqual(at(5, 2));
    expect(await two.ownerOf(SID)).toBe(two.owner);
    expect(await one.keep(at(6), true)).toBe(false);
    expect(await one.forget(at(6))).toBe(false);
    expect(await two.keep(at(7, 2), false)).toBe(true);
    expect(await one.claim(SID)).toEqual(at(7, 3));
    expect(await one.claim(OTHER)).toBeUndefined();
  });

  it('never go back, also where a write comes late', async () => {
    await one.keep(at(5), true);
    expect(await one.keep(at(4), true)).toBe(true);
    expect(await two.claim(SID)).toEqual(at(5, 2));
    await two.keep(at(2 ** 32 - 1, 2), true);
    expect(await one.claim(SID)).toEqual(at(5, 3)); // 5 is later than that, modulo 2^32
    await one.keep(at(2 ** 31, 3), true);
    await one.keep(at(2 ** 32 - 1, 3), true);
    await one.keep(at(3, 3), true);
    expect(await one.claim(SID)).toEqual(at(3, 4));
  });

  it('are told anew to a keyspace that has forgotten them, or who had them last', async () => {
    expect(await two.keep(at(7, 3), true)).toBe(true);
    expect(await one.claim(SID)).toEqual(at(7, 4));
    expect(await two.keep(at(9, 5), true)).toBe(true);
    expect(await one.keep(at(8, 4), true)).toBe(false);
    expect(await one.claim(SID)).toEqual(at(9, 6));
  });

  it('are gone with the last word of their node', async () => {
    await one.keep(at(5), true);
    expect(await one.forget(at(5))).toBe(true);
    expect(await one.ownerOf(SID)).toBeUndefined();
    expect(await one.forget(at(5))).toBe(true);
    expect(await two.claim(SID)).toBeUndefined();
  });

  it('are gone by themselves when their time is over', async () => {
    const short = { ...at(5), seconds: 0.01 };
    await one.keep(short, false);
    await expect.poll(() => one.ownerOf(SID)).toBeUndefined();
  });
});
