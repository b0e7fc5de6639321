import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Command } from '../command.ts';
import { accountKey } from '../key.ts';
import type { Keyspace } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import type { Opened } from '../open.ts';
import { compareAndSet, moveDue, pushBounded } from './example-operations.ts';

/** Opens the implementation; what it opened is closed by the suite. */
export type Opener = (options?: KeyspaceOptions) => Promise<Opened>;

let serial = 0;

/** Keys of an account that no other test has, all in one partition. */
export function freshKeys(): (name: string) => string {
  serial += 1;
  const bare = `${process.pid}-${performance.timeOrigin}-${serial}@capulet.lit`;
  return (name) => accountKey('test', bare, name);
}

export async function opened(open: Opener, options?: KeyspaceOptions): Promise<Opened> {
  const both = await open(options);
  onTestFinished(() => both.keyspace.close());
  return both;
}

const text = (values: Buffer[]) => values.map(String);
const sorted = (values: Buffer[]) => text(values).sort();
const all = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** What every keyspace does. */
export function conformance(name: string, open: Opener): void {
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
      await k.set(key('kept'), '1', { px: 40 });
      await k.set(key('counted'), '1', { px: 40 });
      await k.set(key('moved'), '1', { px: 40 });
      await k.set(key('kept'), '2');
      await k.incrby(key('counted'), 1);
      await k.rename(key('moved'), key('elsewhere'));
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

  describe(`${name}: batches`, () => {
    test('replies come in the order of the commands', async () => {
      const { k, key } = await setUp();
      for (const atomic of [true, false]) {
        const [set, sum, fields, missing] = await k.batch(
          [
            ['set', key('n'), '1'],
            ['incrby', key('n'), 4],
            ['hset', key('h'), [['a', '1']]],
            ['lset', key('none'), 0, 'x'],
          ],
          { atomic },
        );
        expect([set, sum, fields, missing]).toEqual([true, 5, atomic ? 1 : 0, false]);
      }
      expect(await k.batch([], { atomic: true })).toEqual([]);
    });

    test('where one command fails the others are executed', async () => {
      const { k, key } = await setUp();
      for (const atomic of [true, false]) {
        await k.set(key('text'), 'x');
        const commands = [
          ['rpush', key('l'), 'a'],
          ['rpush', key('text'), 'b'],
          ['llen', key('l')],
        ] satisfies Command[];
        const error = await k.batch(commands, { atomic }).catch((reason) => reason);
        expect(error).toBeInstanceOf(KeyspaceError);
        expect(error).toMatchObject({ failure: 'misuse', outcome: 'unknown' });
        expect(error.replies[0]).toBe(atomic ? 1 : 2);
        expect(error.replies[1]).toBeInstanceOf(KeyspaceError);
        expect(error.replies[2]).toBe(atomic ? 1 : 2);
      }
    });

    test('an atomic batch is one moment', async () => {
      const { k, key } = await setUp();
      const seen: string[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, round) => {
          const pair: Command[] = [
            ['set', key('a'), String(round)],
            ['set', key('b'), String(round)],
          ];
          await k.batch(pair, { atomic: true });
          const both = [
            ['get', key('a')],
            ['get', key('b')],
          ] as const;
          seen.push((await k.batch(both, { atomic: true })).map(String).join());
        }),
      );
      expect(seen).toHaveLength(20);
      for (const pair of seen) expect(pair.split(',')[0]).toBe(pair.split(',')[1]);
    });
  });

  describe(`${name}: misuse`, () => {
    test('a command on another type changes nothing', async () => {
      const { k, key } = await setUp();
      await k.set(key('string'), 'x');
      await k.rpush(key('list'), 'x');
      const wrong: (() => Promise<unknown>)[] = [
        () => k.get(key('list')),
        () => k.incrby(key('list'), 1),
        () => k.hget(key('string'), 'a'),
        () => k.hset(key('string'), [['a', 'b']]),
        () => k.hdel(key('list'), 'a'),
        () => k.hgetall(key('list')),
        () => k.hlen(key('list')),
        () => k.hincrby(key('list'), 'a', 1),
        () => k.rpush(key('string'), 'a'),
        () => k.rpushx(key('string'), 'a'),
        () => k.lset(key('string'), 0, 'a'),
        () => k.lpop(key('string')),
        () => k.lrange(key('string'), 0, 1),
        () => k.llen(key('string')),
        () => k.sadd(key('list'), 'a'),
        () => k.srem(key('list'), 'a'),
        () => k.smembers(key('list')),
        () => k.spop(key('list'), 1),
        () => k.zadd(key('list'), 1, 'a'),
        () => k.zrem(key('list'), 'a'),
        () => k.zrangebyscore(key('list'), all),
      ];
      for (const attempt of wrong) {
        await expect(attempt(), String(attempt)).rejects.toMatchObject({
          name: 'KeyspaceError',
          failure: 'misuse',
          outcome: 'not-executed',
        });
      }
      expect(String(await k.get(key('string')))).toBe('x');
      expect(text(await k.lrange(key('list'), 0, -1))).toEqual(['x']);
    });

    test('arguments that make no sense are refused', async () => {
      const { k, key } = await setUp();
      const other = freshKeys();
      const wrong: (() => Promise<unknown>)[] = [
        () => k.set(key('a'), 'x', { px: 0 }),
        () => k.set(key('a'), 'x', { px: 1.5 }),
        () => k.pexpire(key('a'), -1),
        () => k.incrby(key('a'), 2 ** 53),
        () => k.hincrby(key('a'), 'f', 0.5),
        () => k.hset(key('a'), []),
        () => k.hset(key('a'), new Map()),
        () => k.hdel(key('a')),
        () => k.rpush(key('a')),
        () => k.sadd(key('a')),
        () => k.srem(key('a')),
        () => k.zrem(key('a')),
        () => k.del(),
        () => k.lpop(key('a'), 0),
        () => k.spop(key('a'), -1),
        () => k.lset(key('a'), 0.5, 'x'),
        () => k.lrange(key('a'), Number.NaN, 1),
        () => k.zadd(key('a'), Number.NaN, 'x'),
        () => k.zrangebyscore(key('a'), { min: Number.NaN, max: 1 }),
        () => k.zrangebyscore(key('a'), { min: 0, max: 1, limit: 0 }),
        () => k.del(key('a'), other('a')),
        () => k.rename(key('a'), other('a')),
        () =>
          k.batch(
            [
              ['get', key('a')],
              ['get', other('a')],
            ],
            { atomic: true },
          ),
        () => k.call(pushBounded, [], [1, 'a', 'n']),
        () => k.call(pushBounded, [key('a'), other('a')], [1, 'a', 'n']),
      ];
      for (const attempt of wrong) {
        await expect(attempt(), String(attempt)).rejects.toMatchObject({ failure: 'misuse', outcome: 'not-executed' });
      }
      expect(await k.del(key('a'))).toBe(0);
    });
  });

  describe(`${name}: operations`, () => {
    test('compare and set', async () => {
      const { k, key } = await setUp();
      expect(await k.call(compareAndSet, [key('h')], ['0', 'a', 'x'])).toEqual({ done: true, version: 1 });
      expect(await k.call(compareAndSet, [key('h')], ['0', 'a', 'y'])).toEqual({ done: false, version: 1 });
      expect(await k.call(compareAndSet, [key('h')], [1, 'a', Buffer.from([200])])).toEqual({ done: true, version: 2 });
      expect(await k.hget(key('h'), 'a')).toEqual(Buffer.from([200]));
    });

    test('of many at once exactly one wins', async () => {
      const { k, key } = await setUp();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => k.call(compareAndSet, [key('h')], [0, 'a', index])),
      );
      expect(results.filter(({ done }) => done)).toHaveLength(1);
      expect(results[0]?.done).toBe(true);
    });

    test('a bounded list, and a frame once it is committed', async () => {
      const { keyspace: k, bus } = await opened(open, { node: 'n1.7' });
      const key = freshKeys();
      const frames: string[] = [];
      bus.onPush((frame) => frames.push(String(frame)));
      expect(await k.call(pushBounded, [key('l')], [2, 'a', 'n1.7'])).toBe(1);
      expect(await k.call(pushBounded, [key('l')], [2, 'b', 'n2.3'])).toBe(2);
      expect(await k.call(pushBounded, [key('l')], [2, 'c', 'n1.7'])).toBeNull();
      expect(await k.call(pushBounded, [key('m')], [2, 'd', 'n1.7'])).toBe(1);
      await vi.waitFor(() => expect(frames).toEqual(['pushed a', 'pushed d']), { interval: 5 });
      expect(text(await k.lrange(key('l'), 0, -1))).toEqual(['a', 'b']);
    });

    test('the keyspace has a clock', async () => {
      const { k, key } = await setUp();
      const now = await k.now();
      expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
      await k.zadd(key('queue'), now - 1, 'past');
      await k.zadd(key('queue'), now + 100_000, 'future');
      expect(await k.call(moveDue, [key('queue'), key('list')], ['now', 10])).toEqual(['past']);
      expect(text(await k.lrange(key('list'), 0, -1))).toEqual(['past']);
    });
  });

  describe(`${name}: order and life`, () => {
    test('commands are executed in the order in which they are issued', async () => {
      const { k, key } = await setUp();
      const replies = await Promise.all([
        k.get(key('a')),
        k.set(key('a'), '1'),
        k.get(key('a')),
        k.batch([['incrby', key('a'), 1]], { atomic: true }),
        k.get(key('a')),
        k.call(pushBounded, [key('l')], [5, 'x', 'n']),
        k.llen(key('l')),
        k.del(key('a')),
        k.get(key('a')),
      ]);
      expect(replies.map(String)).toEqual(['undefined', 'true', '1', '2', '2', '1', '1', '1', 'undefined']);
    });

    test('what comes out is a copy', async () => {
      const { k, key } = await setUp();
      const value = Buffer.from('before');
      const done = k.rpush(key('l'), value);
      await done;
      value.write('after!');
      const [out] = await k.lrange(key('l'), 0, 0);
      expect(String(out)).toBe('before');
      out?.write('after!');
      expect(text(await k.lrange(key('l'), 0, 0))).toEqual(['before']);
    });

    test('statistics tell of every command', async () => {
      const commands: string[] = [];
      const flushes: number[] = [];
      const observer = {
        command: (name: string, milliseconds: number, failure?: string) => {
          expect(milliseconds).toBeGreaterThanOrEqual(0);
          commands.push(failure ? `${name} ${failure}` : name);
        },
        flush: (count: number) => flushes.push(count),
      };
      const { keyspace: k } = await opened(open, { observer });
      const key = freshKeys();
      await Promise.all([k.set(key('a'), '1'), k.call(pushBounded, [key('l')], [1, 'a', 'n'])]);
      await k.llen(key('a')).catch(() => {});
      await k.batch([['get', key('a')]], { atomic: false });
      expect(commands.sort()).toEqual(['batch', 'llen misuse', 'push-bounded', 'set']);
    });

    test('frames go to the node that they are for', async () => {
      const { bus } = await opened(open, { node: 'n1.1' });
      const events: string[] = [];
      const frames: Buffer[] = [];
      bus.onLink((event) => events.push(event));
      const stop = bus.onPush((frame) => frames.push(frame));
      const bytes = Buffer.from([0x58, 0, 255]);
      expect(await bus.publish('n1.1', bytes)).toBe(1);
      expect(await bus.publish('nobody', bytes)).toBe(0);
      await vi.waitFor(() => expect(frames).toEqual([bytes]), { interval: 5 });
      expect(events).toEqual(['up']);
      stop();
    });

    test('after close everything fails with closed', async () => {
      const { keyspace: k } = await opened(open);
      const key = freshKeys();
      const last = k.set(key('a'), '1');
      const closing = k.close();
      expect(await last).toBe(true);
      await closing;
      await k.close();
      for (const late of [k.get(key('a')), k.set(key('a'), '2'), k.now(), k.batch([['get', 'a']], { atomic: false })]) {
        await expect(late).rejects.toMatchObject({ failure: 'closed', outcome: 'not-executed' });
      }
    });
  });
}
