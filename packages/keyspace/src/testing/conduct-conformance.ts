import { describe, expect, test, vi } from 'vitest';
import { EVERY_NODE } from '../bus.ts';
import type { Command } from '../command.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import { compareAndSet, moveDue, pushBounded } from './example-operations.ts';
import { freshKeys, type Opener, opened } from './fresh-keys.ts';

const text = (values: Buffer[]) => values.map(String);
const all = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** How commands behave together: batches, operations, order, errors. */
export function conductConformance(name: string, open: Opener): void {
  const setUp = async () => ({ k: (await opened(open)).keyspace, key: freshKeys() });

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
        () => k.ltrim(key('string'), 0, -1),
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
        () => k.ltrim(key('a'), -1, -1),
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
      await k.answered();
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
      const issued: string[] = [];
      const answered: string[] = [];
      const observer = {
        issued: (name: string) => {
          issued.push(name);
          if (name === 'set') return undefined; // who does not want to know how it ends
          return (failure?: string) => void answered.push(failure ? `${name} ${failure}` : name);
        },
        command: (name: string, milliseconds: number, failure?: string) => {
          expect(milliseconds).toBeGreaterThanOrEqual(0);
          commands.push(failure ? `${name} ${failure}` : name);
        },
        flush: (count: number) => flushes.push(count),
      };
      const { keyspace: k } = await opened(open, { observer });
      const key = freshKeys();
      const both = Promise.all([k.set(key('a'), '1'), k.call(pushBounded, [key('l')], [1, 'a', 'n'])]);
      expect(issued).toEqual(['set', 'push-bounded']); // while whoever did it can be asked
      await both;
      await k.llen(key('a')).catch(() => {});
      await k.batch([['get', key('a')]], { atomic: false });
      expect(commands.sort()).toEqual(['batch', 'llen misuse', 'push-bounded', 'set']);
      expect(issued).toEqual(['set', 'push-bounded', 'llen', 'batch']);
      expect(answered).toEqual(['push-bounded', 'llen misuse', 'batch']);
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

    test('a frame for all nodes goes to every one that has a name, also to the one that sends it', async () => {
      const { keyspace: k, bus } = await opened(open, { node: 'n1.2' });
      const others = [await opened(open, { node: 'n2.1' }), await opened(open)];
      const frames: string[] = [];
      const elsewhere = others.map((other) => {
        const list: string[] = [];
        other.bus.onPush((frame) => list.push(String(frame)));
        return list;
      });
      bus.onPush((frame) => frames.push(String(frame)));
      const shared = (await bus.publish(EVERY_NODE, Buffer.from('first'))) > 1;
      await k.call(pushBounded, [freshKeys()('l')], [1, 'second', EVERY_NODE]);
      await bus.publish('n1.2', Buffer.from('third'));
      const all = ['first', 'pushed second'];
      await vi.waitFor(() => expect(frames).toEqual([...all, 'third']), { interval: 5 });
      await vi.waitFor(() => expect(elsewhere).toEqual([shared ? all : [], []]), { interval: 5 });
    });

    test('without a name no frames arrive', async () => {
      const { bus } = await opened(open);
      const frames: Buffer[] = [];
      bus.onPush((frame) => frames.push(frame));
      expect(await bus.publish('n3.1', Buffer.from('x'))).toBe(0);
      expect(await bus.publish(EVERY_NODE, Buffer.from('x'))).toBe(0);
      expect(frames).toEqual([]);
    });

    test('after close everything fails with closed', async () => {
      const { keyspace: k } = await opened(open);
      const key = freshKeys();
      const last = k.set(key('a'), '1');
      const closing = k.close();
      expect(await last).toBe(true);
      await closing;
      await k.close();
      for (const late of [
        k.get(key('a')),
        k.set(key('a'), '2'),
        k.now(),
        k.answered(),
        k.batch([['get', 'a']], { atomic: false }),
      ]) {
        await expect(late).rejects.toMatchObject({ failure: 'closed', outcome: 'not-executed' });
      }
    });
  });
}
