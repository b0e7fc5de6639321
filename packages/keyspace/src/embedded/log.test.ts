import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Keyspace } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import { Trouble } from '../trouble.ts';
import { Disk } from './disk.ts';
import { EmbeddedBus } from './embedded-bus.ts';
import { EmbeddedKeyspace } from './embedded-keyspace.ts';
import { Memory } from './memory.ts';
import type { FromWriter, ToWriter } from './writer-message.ts';

/** A keyspace whose disk does what the test says. */
function setUp({ deadline = 60_000, maxPendingBytes = 1_000_000 } = {}) {
  const memory = new Memory(Date.now);
  const trouble = new Trouble();
  const posted: ToWriter[] = [];
  const told: string[] = [];
  let receive: (message: FromWriter) => void = () => {};
  let lost: (error: Error) => void = () => {};
  const disk = new Disk({
    memory,
    trouble,
    writer: {
      post: (message) => void posted.push(message),
      listen: (onMessage, onLost) => {
        receive = onMessage;
        lost = onLost;
      },
      close: async () => {},
    },
    loaded: { last: 10, dirty: new Set(), warnings: [] },
    observer: { warning: (message) => told.push(message) },
    deadline,
    maxPendingBytes,
    snapshotMilliseconds: 1_000_000,
    snapshotBytes: 1_000_000,
  });
  const bus = new EmbeddedBus('n1');
  const keyspace: Keyspace = new EmbeddedKeyspace({ memory, bus, trouble, observer: {}, persistence: disk });
  const rows = () => posted.filter((message) => message.type === 'append');
  const fail = (failure: 'full' | 'away', outcome: 'not-executed' | 'unknown') =>
    receive({ type: 'failed', failure, outcome, message: 'no more' });
  return {
    keyspace,
    trouble,
    posted,
    rows,
    told,
    fail,
    receive: (m: FromWriter) => receive(m),
    lose: () => lost(new Error('oh')),
  };
}

/** Whether the promise is settled after everything that could settle it had its turn. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  const note = () => {
    done = true;
  };
  promise.then(note, note);
  await setImmediate();
  await setImmediate();
  return done;
}

test('the writes of one turn are one row, and resolve when it is committed', async () => {
  const { keyspace, rows, receive } = setUp();
  const both = [keyspace.set('a', '1'), keyspace.hset('b', [['f', '2']])];
  expect(rows()).toHaveLength(0);
  expect(await settled(Promise.any(both))).toBe(false);
  expect(rows().map(({ seq }) => seq)).toEqual([11]);
  const later = keyspace.set('a', '3');
  await setImmediate();
  expect(rows().map(({ seq }) => seq)).toEqual([11, 12]);
  receive({ type: 'committed', seq: 11 });
  expect(await Promise.all(both)).toEqual([true, 1]);
  expect(await settled(later)).toBe(false);
  receive({ type: 'committed', seq: 12 });
  expect(await later).toBe(true);
});

test('a read resolves at once, unless it saw what is not committed', async () => {
  const { keyspace, receive } = setUp();
  const write = keyspace.set('a', '1');
  const sees = keyspace.get('a');
  const another = keyspace.get('b');
  const mixed = keyspace.batch(
    [
      ['get', 'b'],
      ['get', 'a'],
    ],
    { atomic: false },
  );
  expect(await another).toBeUndefined();
  expect(await settled(Promise.any([sees, mixed]))).toBe(false);
  receive({ type: 'committed', seq: 11 });
  expect(String(await sees)).toBe('1');
  expect((await mixed).map(String)).toEqual(['undefined', '1']);
  expect(await write).toBe(true);
  expect(String(await keyspace.get('a'))).toBe('1');
});

test('a write that changes nothing tells nothing that is not committed', async () => {
  const { keyspace, receive } = setUp();
  const made = keyspace.set('a', '1', { nx: true });
  const refused = keyspace.set('a', '2', { nx: true });
  const gone = keyspace.del('b');
  expect(await gone).toBe(0);
  expect(await settled(Promise.any([made, refused]))).toBe(false);
  receive({ type: 'committed', seq: 11 });
  expect([await made, await refused]).toEqual([true, false]);
});

test('what cannot be committed is taken back, and what rests on it', async () => {
  const { keyspace, rows, told, fail, receive } = setUp();
  const first = [
    keyspace.set('s', 'old'),
    keyspace.rpush('l', 'a', 'b'),
    keyspace.hset('h', [
      ['f', '1'],
      ['g', '1'],
    ]),
  ];
  first.push(keyspace.zadd('z', 1, 'm'), keyspace.sadd('t', 'x'), keyspace.set('gone', '1'));
  await setImmediate();
  receive({ type: 'committed', seq: 11 });
  await Promise.all(first);

  const lost: Promise<unknown>[] = [
    keyspace.set('s', 'new'),
    keyspace.lpop('l', 2),
    keyspace.hdel('h', 'f'),
    keyspace.zadd('z', 2, 'm'),
  ];
  await setImmediate();
  lost.push(
    keyspace.rpush('l', 'c'),
    keyspace.rename('s', '{s}2'),
    keyspace.hset('h', [
      ['f', '2'],
      ['i', '3'],
    ]),
  );
  await setImmediate();
  lost.push(keyspace.lset('l', 0, 'd'), keyspace.srem('t', 'x'), keyspace.zrem('z', 'm'), keyspace.del('gone'));
  lost.push(keyspace.pexpire('h', 1), keyspace.incrby('new', 1), keyspace.llen('l'));
  const outcomes = Promise.allSettled(lost);
  fail('full', 'not-executed');
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { failure: 'full', outcome: 'not-executed' } });
  }
  expect(rows()).toHaveLength(3);
  expect(told).toEqual(['no more']);

  expect(String(await keyspace.get('s'))).toBe('old');
  expect(await keyspace.get('{s}2')).toBeUndefined();
  expect((await keyspace.lrange('l', 0, -1)).map(String)).toEqual(['a', 'b']);
  expect([...(await keyspace.hgetall('h'))].map(String).sort()).toEqual(['f,1', 'g,1']);
  expect(await keyspace.zrangebyscore('z', { min: 0, max: 9 })).toEqual([{ member: Buffer.from('m'), score: 1 }]);
  expect((await keyspace.smembers('t')).map(String)).toEqual(['x']);
  expect(await keyspace.get('new')).toBeUndefined();
  expect(String(await keyspace.get('gone'))).toBe('1');
});

test('while nothing can be written, writes fail and reads go on; then everything goes on', async () => {
  const { keyspace, rows, fail, receive } = setUp();
  const states: string[] = [];
  keyspace.onState((state, reason) => states.push(`${state} ${reason?.failure}`));
  const write = keyspace.set('a', '1');
  await setImmediate();
  fail('away', 'unknown');
  await expect(write).rejects.toMatchObject({ failure: 'away', outcome: 'unknown' });
  expect(keyspace.trouble).toMatchObject({ failure: 'away', message: 'no more' });
  await expect(keyspace.set('a', '2')).rejects.toMatchObject({ failure: 'away', outcome: 'not-executed' });
  expect(await keyspace.get('a')).toBeUndefined();
  receive({ type: 'recovered' });
  const again = keyspace.set('a', '3');
  await setImmediate();
  expect(rows().map(({ seq, generation }) => [seq, generation])).toEqual([
    [11, 0],
    [11, 1],
  ]);
  receive({ type: 'committed', seq: 11 });
  expect(await again).toBe(true);
  expect(states).toEqual(['down away', 'up undefined']);
});

test('a disk that does not answer fails the write in time, and what it did after all stays', async () => {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
  const { keyspace, receive } = setUp({ deadline: 1000 });
  const write = keyspace.set('a', '1');
  const outcome = expect(write).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  await setImmediate();
  vi.advanceTimersByTime(3000);
  await outcome;
  expect(keyspace.state).toBe('down');
  await expect(keyspace.set('b', '1')).rejects.toMatchObject({ failure: 'slow', outcome: 'not-executed' });
  receive({ type: 'committed', seq: 11 });
  expect(keyspace.state).toBe('up');
  expect(String(await keyspace.get('a'))).toBe('1');
});

test('what waits for a slow disk is bounded', async () => {
  const { keyspace, receive } = setUp({ maxPendingBytes: 1000 });
  const first = keyspace.set('a', 'x'.repeat(2000));
  await expect(keyspace.set('b', '1')).rejects.toMatchObject({ failure: 'slow', outcome: 'not-executed' });
  await setImmediate();
  receive({ type: 'committed', seq: 11 });
  expect(await first).toBe(true);
  const second = keyspace.set('b', '1');
  await setImmediate();
  receive({ type: 'committed', seq: 12 });
  expect(await second).toBe(true);
});

test('a large turn is cut into rows, between commands', async () => {
  const { keyspace, rows, receive } = setUp({ maxPendingBytes: 100_000_000 });
  const writes = Array.from({ length: 5 }, (_, index) => keyspace.set(String(index), 'x'.repeat(700_000)));
  await setImmediate();
  expect(rows()).toHaveLength(3);
  receive({ type: 'committed', seq: 13 });
  await Promise.all(writes);
});

test('without the thread that writes there is no way on', async () => {
  const { keyspace, lose, told } = setUp();
  const write = keyspace.set('a', '1');
  lose();
  await expect(write).rejects.toBeInstanceOf(KeyspaceError);
  expect(keyspace.trouble?.message).toContain('Restart');
  expect(told).toHaveLength(1);
  await keyspace.close();
});
