import { describe, expect, test, vi } from 'vitest';
import type { Keyspace } from '../keyspace.ts';
import { freshKeys, type Opener, opened } from './fresh-keys.ts';

const text = (values: Buffer[]) => values.map(String);
const sorted = (values: Buffer[]) => text(values).sort();
const all = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** What the data commands do. */
export function dataConformance(name: string, open: Opener): void {
  const setUp = async () => ({ k: (await opened(open)).keyspace, key: freshKeys() });

  describe(`${name}: strings`, () => {
    test('set, get, del', async () => {
      const { k, key } = await setUp();
      expect(await k.get(key('a'))).toBeUndefined();
      expect(await k.set(key('a'), 'Schöne Grüße 🌻')).toBe(true);
      expect(String(await k.get(key('a')))).toBe('Schöne Grüße 🌻');
      const bytes = Buffer.from([0, 255, 10, 13, 128, 0xc3]);
      await k.set(key('b'), bytes);
      expect(await k.get(key('b'))).toEqual(bytes);
      await k.set(key('c'), '');
      expect(await k.get(key('c'))).toEqual(Buffer.alloc(0));
      expect(await k.del(key('a'), key('b'), key('none'))).toBe(2);
      expect(await k.get(key('a'))).toBeUndefined();
    });

    test('set with nx leaves what there is', async () => {
      const { k, key } = await setUp();
      expect(await k.set(key('a'), '1', { nx: true })).toBe(true);
      expect(await k.set(key('a'), '2', { nx: true, px: 1000 })).toBe(false);
      expect(String(await k.get(key('a')))).toBe('1');
    });

    test('a key ends when its time is over, and not before', async () => {
      const { k, key } = await setUp();
      await k.set(key('short'), 'x', { px: 30 });
      await k.set(key('long'), 'x', { px: 100_000 });
      await k.hset(key('hash'), [['a', '1']]);
      expect(await k.pexpire(key('hash'), 30)).toBe(true);
      expect(await k.pexpire(key('none'), 30)).toBe(false);
      await vi.waitFor(async () => expect(await k.get(key('short'))).toBeUndefined(), { interval: 5 });
      await vi.waitFor(async () => expect(await k.hlen(key('hash'))).toBe(0), { interval: 5 });
      expect(await k.hset(key('hash'), [['b', '1']])).toBe(1);
      expect([...(await k.hgetall(key('hash'))).keys()]).toEqual(['b']);
      expect(await k.set(key('short'), 'y', { nx: true })).toBe(true);
      expect(String(await k.get(key('long')))).toBe('x');
    });

    test('set takes an expiry away, other writes leave it', async () => {
      const { k, key } = await setUp();
      // all at once, and for longer than that takes: a write that came after the end would make the key anew
      await Promise.all([
        k.set(key('kept'), '1', { px: 1000 }),
        k.set(key('counted'), '1', { px: 1000 }),
        k.set(key('moved'), '1', { px: 1000 }),
        k.set(key('kept'), '2'),
        k.incrby(key('counted'), 1),
        k.rename(key('moved'), key('elsewhere')),
      ]);
      await vi.waitFor(async () => expect(await k.get(key('counted'))).toBeUndefined(), { interval: 5 });
      await vi.waitFor(async () => expect(await k.get(key('elsewhere'))).toBeUndefined(), { interval: 5 });
      expect(String(await k.get(key('kept')))).toBe('2');
    });

    test('incrby', async () => {
      const { k, key } = await setUp();
      expect(await k.incrby(key('n'), 5)).toBe(5);
      expect(await k.incrby(key('n'), -7)).toBe(-2);
      expect(String(await k.get(key('n')))).toBe('-2');
      await k.set(key('text'), '1 ');
      await expect(k.incrby(key('text'), 1)).rejects.toMatchObject({ failure: 'misuse', outcome: 'not-executed' });
    });
  });

  describe(`${name}: hashes`, () => {
    test('hset, hget, hgetall, hlen, hdel', async () => {
      const { k, key } = await setUp();
      const fields = new Map<string, string | Buffer>([
        ['Julia', 'a'],
        ['', Buffer.from([0, 200])],
        ['Ü🌻', ''],
      ]);
      expect(await k.hset(key('h'), fields)).toBe(3);
      expect(
        await k.hset(key('h'), [
          ['Julia', 'b'],
          ['new', 'c'],
          ['new', 'd'],
        ]),
      ).toBe(1);
      expect(String(await k.hget(key('h'), 'Julia'))).toBe('b');
      expect(await k.hget(key('h'), 'none')).toBeUndefined();
      expect(await k.hget(key('none'), 'none')).toBeUndefined();
      expect(await k.hlen(key('h'))).toBe(4);
      const found = await k.hgetall(key('h'));
      expect([...found].map(([field, value]) => [field, value.toString('latin1')]).sort()).toEqual([
        ['', '\0\xc8'],
        ['Julia', 'b'],
        ['new', 'd'],
        ['Ü🌻', ''],
      ]);
      expect(await k.hdel(key('h'), 'Julia', 'none', '')).toBe(2);
      expect(await k.hdel(key('h'), 'new', 'Ü🌻')).toBe(2);
      expect(await k.hgetall(key('h'))).toEqual(new Map());
      expect(await k.del(key('h'))).toBe(0);
    });

    test('hincrby', async () => {
      const { k, key } = await setUp();
      expect(await k.hincrby(key('h'), 'n', 3)).toBe(3);
      expect(await k.hincrby(key('h'), 'n', -4)).toBe(-1);
      await k.hset(key('h'), [['n', 'x']]);
      await expect(k.hincrby(key('h'), 'n', 1)).rejects.toMatchObject({ failure: 'misuse' });
    });
  });

  describe(`${name}: lists`, () => {
    test('rpush, rpushx, lrange, llen, lpop, lset', async () => {
      const { k, key } = await setUp();
      expect(await k.rpushx(key('l'), 'a')).toBe(0);
      expect(await k.llen(key('l'))).toBe(0);
      expect(await k.rpush(key('l'), 'a', 'b', 'c')).toBe(3);
      expect(await k.rpushx(key('l'), 'd', 'e')).toBe(5);
      expect(text(await k.lrange(key('l'), 1, 2))).toEqual(['b', 'c']);
      expect(text(await k.lrange(key('l'), -2, -1))).toEqual(['d', 'e']);
      expect(text(await k.lrange(key('l'), -100, 100))).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(text(await k.lrange(key('l'), 3, 1))).toEqual([]);
      expect(text(await k.lrange(key('none'), 0, -1))).toEqual([]);
      expect(await k.lset(key('l'), 0, 'A')).toBe(true);
      expect(await k.lset(key('l'), -1, 'E')).toBe(true);
      expect(await k.lset(key('l'), 5, 'x')).toBe(false);
      expect(await k.lset(key('l'), -6, 'x')).toBe(false);
      expect(await k.lset(key('none'), 0, 'x')).toBe(false);
      expect(text(await k.lpop(key('l')))).toEqual(['A']);
      expect(text(await k.lpop(key('l'), 2))).toEqual(['b', 'c']);
      expect(text(await k.lpop(key('l'), 9))).toEqual(['d', 'E']);
      expect(await k.lpop(key('l'), 9)).toEqual([]);
      expect(await k.del(key('l'))).toBe(0);
    });

    test('ltrim', async () => {
      const { k, key } = await setUp();
      await k.rpush(key('l'), 'a', 'b', 'c', 'd');
      await k.ltrim(key('l'), 0, -1);
      await k.ltrim(key('l'), 2, -1);
      expect(text(await k.lrange(key('l'), 0, -1))).toEqual(['c', 'd']);
      await k.ltrim(key('l'), 9, -1);
      expect(await k.del(key('l'))).toBe(0);
      await k.ltrim(key('none'), 1, -1);
      expect(await k.llen(key('none'))).toBe(0);
    });

    test('rename fences whoever knows the old name', async () => {
      const { k, key } = await setUp();
      await k.rpush(key('j1'), 'header', 'entry');
      await k.set(key('j2'), 'replaced');
      expect(await k.rename(key('j1'), key('j2'))).toBe(true);
      expect(await k.rename(key('j1'), key('j2'))).toBe(false);
      expect(await k.rpushx(key('j1'), 'stale')).toBe(0);
      expect(await k.lset(key('j1'), 0, 'stale')).toBe(false);
      expect(text(await k.lrange(key('j2'), 0, -1))).toEqual(['header', 'entry']);
      expect(await k.rename(key('j2'), key('j2'))).toBe(true);
      expect(await k.llen(key('j2'))).toBe(2);
    });
  });

  describe(`${name}: sets`, () => {
    test('sadd, smembers, srem, spop', async () => {
      const { k, key } = await setUp();
      expect(await k.sadd(key('s'), 'a', 'b', 'a', Buffer.from([255]))).toBe(3);
      expect(await k.sadd(key('s'), 'b', 'c')).toBe(1);
      expect((await k.smembers(key('s'))).map((m) => m.toString('latin1')).sort()).toEqual(['a', 'b', 'c', '\xff']);
      expect(await k.srem(key('s'), Buffer.from([255]), 'none')).toBe(1);
      const taken = await k.spop(key('s'), 2);
      expect(taken).toHaveLength(2);
      expect(sorted([...taken, ...(await k.smembers(key('s')))])).toEqual(['a', 'b', 'c']);
      expect(await k.spop(key('s'))).toHaveLength(1);
      expect(await k.spop(key('s'), 3)).toEqual([]);
      expect(await k.smembers(key('s'))).toEqual([]);
    });
  });

  describe(`${name}: sorted sets`, () => {
    test('zadd, zrangebyscore, zrem', async () => {
      const { k, key } = await setUp();
      expect(await k.zadd(key('z'), 2, 'b')).toBe(true);
      expect(await k.zadd(key('z'), 1.5, 'c')).toBe(true);
      expect(await k.zadd(key('z'), 2, 'a')).toBe(true);
      expect(await k.zadd(key('z'), -3e20, 'd')).toBe(true);
      expect(await k.zadd(key('z'), Number.POSITIVE_INFINITY, 'e')).toBe(true);
      expect(await k.zadd(key('z'), 3, 'b')).toBe(false);
      const read = async (range: Parameters<Keyspace['zrangebyscore']>[1]) =>
        (await k.zrangebyscore(key('z'), range)).map(({ member, score }) => [String(member), score]);
      expect(await read(all)).toEqual([
        ['d', -3e20],
        ['c', 1.5],
        ['a', 2],
        ['b', 3],
        ['e', Number.POSITIVE_INFINITY],
      ]);
      expect(await read({ min: 1.5, max: 2 })).toEqual([
        ['c', 1.5],
        ['a', 2],
      ]);
      expect(await read({ ...all, limit: 2 })).toEqual([
        ['d', -3e20],
        ['c', 1.5],
      ]);
      expect(await k.zrem(key('z'), 'a', 'none', 'd', 'c', 'b', 'e')).toBe(5);
      expect(await read(all)).toEqual([]);
      expect(await k.del(key('z'))).toBe(0);
    });

    test('members of one score are in the order of their bytes', async () => {
      const { k, key } = await setUp();
      for (const member of ['é', 'z', 'a', '🌻', 'aa', '']) await k.zadd(key('z'), 0, member);
      const found = await k.zrangebyscore(key('z'), all);
      expect(found.map(({ member }) => String(member))).toEqual(['', 'a', 'aa', 'z', 'é', '🌻']);
    });
  });
}
