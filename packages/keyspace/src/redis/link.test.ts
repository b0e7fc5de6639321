import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Bus } from '../bus.ts';
import type { Keyspace } from '../keyspace.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { openKeyspace } from '../open.ts';
import { pushBounded } from '../testing/example-operations.ts';
import { freePort, OwnRedis } from '../testing/own-redis.ts';

async function open(url: string, options: KeyspaceOptions = {}): Promise<{ k: Keyspace; bus: Bus; events: string[] }> {
  const { keyspace, bus } = await openKeyspace(url, options);
  onTestFinished(() => keyspace.close());
  const events: string[] = [];
  bus.onLink((event) => events.push(event));
  return { k: keyspace, bus, events };
}

/** Nothing goes to Redis but what the test says: no question in between whether it is still there. */
function unasked(): void {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  onTestFinished(() => void vi.useRealTimers());
}

const up = (k: Keyspace) => vi.waitFor(() => expect(k.state).toBe('up'), { interval: 10 });
const down = (k: Keyspace) => vi.waitFor(() => expect(k.state).toBe('down'), { interval: 10 });

test('when Redis is killed, what waits fails at once, and what comes later works when it is back', async () => {
  const redis = await OwnRedis.start();
  const { k, bus, events } = await open(redis.url, { node: 'n1' });
  await k.set('a', '1');
  await redis.freeze();
  const write = expect(k.set('a', '2')).rejects.toMatchObject({ failure: 'away', outcome: 'unknown' });
  const read = expect(k.get('a')).rejects.toMatchObject({ failure: 'away', outcome: 'not-executed' });
  const batch = k.batch(
    [
      ['set', 'a', '3'],
      ['get', 'a'],
    ],
    { atomic: true },
  );
  const both = expect(batch).rejects.toMatchObject({ failure: 'away', outcome: 'unknown' });
  await setImmediate(); // Sent by now.
  await redis.kill();
  await Promise.all([write, read, both]);
  await down(k);
  expect(k.trouble?.failure).toBe('away');
  await expect(k.set('a', '4')).rejects.toMatchObject({ failure: 'away', outcome: 'not-executed' });

  await redis.start();
  await up(k);
  expect(await k.get('a')).toBeUndefined();
  expect(await k.set('a', '5')).toBe(true);
  expect(await k.call(pushBounded, ['l'], [5, 'x', 'n1'])).toBe(1);
  expect(events).toEqual(['up', 'down', 'storeChanged', 'up']);
  const frames: Buffer[] = [];
  bus.onPush((frame) => frames.push(frame));
  expect(await bus.publish('n1', Buffer.from('again'))).toBe(1);
  await vi.waitFor(() => expect(frames.map(String)).toContain('again'), { interval: 5 });
});

test('an answer that came in time is no late one because this process stood still', async () => {
  unasked();
  const redis = await OwnRedis.start();
  const { k, events } = await open(redis.url, { deadline: 500 });
  await k.set('a', '1');
  for (let round = 0; round < 3; round++) {
    const answer = k.get('a');
    await setImmediate(); // Sent by now.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(String(await answer)).toBe('1');
  }
  expect(events).toEqual(['up']);
});

test('connects anew when it is told to, and not where it does so already, or is closed', async () => {
  const redis = await OwnRedis.start();
  const { k, bus, events } = await open(redis.url, { node: 'n1' });
  const frames: string[] = [];
  bus.onPush((frame) => frames.push(String(frame)));
  await k.set('a', '1');
  await redis.freeze(); // Else it might have answered by then.
  const write = k.set('a', '2');
  await setImmediate(); // Sent by now.
  bus.reconnect('Nothing comes back.');
  bus.reconnect('Nothing comes back.');
  expect(k.trouble?.message).toBe('Nothing comes back.');
  await expect(write).rejects.toMatchObject({ failure: 'away', outcome: 'unknown' });
  redis.thaw();
  await up(k);
  await bus.publish('n1', Buffer.from('again'));
  await vi.waitFor(() => expect(frames).toEqual(['again']), { interval: 5 });
  expect(events).toEqual(['up', 'down', 'up']);
  await k.close();
  bus.reconnect('It is over.');
  expect(events).toEqual(['up', 'down', 'up']);
});

test('when Redis does not answer, commands fail at their deadline, and later ones work again', async () => {
  const redis = await OwnRedis.start();
  unasked(); // what is asked before the write is late before it
  const { k } = await open(redis.url, { deadline: 1000 });
  await vi.waitFor(() => k.set('a', '1'), { interval: 10 });
  await redis.freeze();
  await expect(k.set('a', '2')).rejects.toMatchObject({ failure: 'slow', outcome: 'unknown' });
  await down(k);
  redis.thaw();
  await up(k);
  await vi.waitFor(async () => expect(await k.set('a', '3')).toBe(true), { interval: 10 });
});

test('a connection that is quiet and dead is found', async () => {
  const redis = await OwnRedis.start();
  const { k } = await open(redis.url, { deadline: 100 });
  await redis.freeze();
  await down(k);
  redis.thaw();
  await up(k);
});

test('a connection that is cut comes back, to the same store', async () => {
  const redis = await OwnRedis.start();
  const { k, bus, events } = await open(redis.url, { node: 'n1' });
  const frames: Buffer[] = [];
  bus.onPush((frame) => frames.push(frame));
  await k.set('a', '1');
  for (const type of ['normal', 'pubsub']) await redis.ask('CLIENT', 'KILL', 'TYPE', type);
  await vi.waitFor(() => expect(events).toEqual(['up', 'down', 'up']), { interval: 5 });
  expect(String(await k.get('a'))).toBe('1');
  await bus.publish('n1', Buffer.from('x'));
  await vi.waitFor(() => expect(frames).toHaveLength(1), { interval: 5 });
});

test('what waits is bounded', async () => {
  const redis = await OwnRedis.start();
  const { k } = await open(redis.url, { maxPendingBytes: 10_000 });
  await redis.freeze();
  const first = k.set('a', 'x'.repeat(8000));
  await expect(k.set('b', 'x'.repeat(8000))).rejects.toMatchObject({ failure: 'slow', outcome: 'not-executed' });
  redis.thaw();
  expect(await first).toBe(true);
  expect(await k.set('b', 'x'.repeat(8000))).toBe(true);
});

test('what one turn issues goes out together', async () => {
  const redis = await OwnRedis.start();
  unasked();
  const flushes: number[] = [];
  const { k } = await open(redis.url, { observer: { flush: (commands) => flushes.push(commands) } });
  await Promise.all(Array.from({ length: 10 }, (_, index) => k.set(`k${index}`, 'x')));
  await k.get('k1');
  expect(flushes).toEqual([10, 1]);
});

test('a replica takes reads, and says of writes that it does not take them', async () => {
  const primary = await OwnRedis.start(['--repl-diskless-sync-delay', '0']);
  const replica = await OwnRedis.start(['--replicaof', '127.0.0.1', String(primary.port)]);
  const writer = await open(primary.url);
  await writer.k.set('a', '1');
  const { k } = await open(replica.url);
  await vi.waitFor(async () => expect(String(await k.get('a'))).toBe('1'), { interval: 20 });
  await expect(k.set('a', '2')).rejects.toMatchObject({ failure: 'read-only', outcome: 'not-executed' });
  // It looks again where the address leads.
  await vi.waitFor(() => expect([k.state, k.trouble?.failure]).toEqual(['down', 'read-only']));
  await vi.waitFor(
    () => expect(k.call(pushBounded, ['l'], [1, 'x', 'n'])).rejects.toMatchObject({ failure: 'read-only' }),
    { interval: 20 },
  );
  await vi.waitFor(async () => expect(String(await k.get('a'))).toBe('1'), { interval: 20 });
});

test('when its memory is full, Redis takes no writes, and reads and removals go on', async () => {
  const redis = await OwnRedis.start(['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction']);
  const { k } = await open(redis.url);
  const full = { failure: 'full', outcome: 'not-executed' };
  let stored = 0;
  let failure: unknown;
  while (failure === undefined && stored < 1000) {
    await k.rpush('l', 'x'.repeat(20_000)).then(
      () => {
        stored += 1;
      },
      (error) => {
        failure = error;
      },
    );
  }
  expect(failure).toMatchObject(full);
  await expect(
    k.batch(
      [
        ['set', '{l}a', '1'],
        ['get', '{l}a'],
      ],
      { atomic: true },
    ),
  ).rejects.toMatchObject(full);
  await expect(k.call(pushBounded, ['l'], [9999, 'x', 'n'])).rejects.toMatchObject(full);
  expect(await k.llen('l')).toBe(stored);
  expect(await k.del('l')).toBe(1);
  expect(await k.set('a', '1')).toBe(true);
  await up(k);
});

test('it is down while Redis takes no writes, though the connection is good, and up again once it does', async () => {
  const redis = await OwnRedis.start(['--maxmemory-policy', 'noeviction']);
  const { k, bus, events } = await open(redis.url, { node: 'n1' });
  await k.set('a', '1');
  await redis.ask('CONFIG', 'SET', 'maxmemory', '1');
  await expect(k.set('a', '2')).rejects.toMatchObject({ failure: 'full', outcome: 'not-executed' });
  expect([k.state, k.trouble?.failure]).toEqual(['down', 'full']);
  expect([String(await k.get('a')), await bus.publish('n1', Buffer.from('frame'))]).toEqual(['1', 1]);
  let late: string | undefined;
  bus.onLink((event) => {
    late = event;
  });
  await setImmediate();
  expect(late).toBe('up');
  await redis.ask('CONFIG', 'SET', 'maxmemory', '0');
  await up(k);
  expect(events).toEqual(['up']);
  expect(await k.set('a', '2')).toBe(true);
  expect(await redis.ask('EXISTS', '{global}nothing')).toBe(':0');
});

test('it is down from the beginning where what it finds takes no writes', async () => {
  const redis = await OwnRedis.start(['--maxmemory', '1']);
  const { k } = await open(redis.url);
  expect([k.state, k.trouble?.failure]).toEqual(['down', 'full']);
});

test('scripts that Redis forgot are sent again', async () => {
  const redis = await OwnRedis.start();
  const { k } = await open(redis.url);
  expect(await k.call(pushBounded, ['l'], [9, 'a', 'n'])).toBe(1);
  expect(await k.call(pushBounded, ['l'], [9, 'b', 'n'])).toBe(2);
  expect(await redis.ask('SCRIPT', 'FLUSH')).toBe('+OK');
  expect(await k.call(pushBounded, ['l'], [9, 'c', 'n'])).toBe(3);
});

test('a password is used, a wrong or missing one refused at once', async () => {
  const redis = await OwnRedis.start(['--requirepass', 'geheim']);
  const address = (credentials: string) => redis.url.replace('//', `//${credentials}`);
  expect(await (await open(address(':geheim@'))).k.set('a', '1')).toBe(true);
  const wrong = openKeyspace(address(':falsch@'));
  await expect(wrong).rejects.toMatchObject({ failure: 'refused' });
  await expect(wrong).rejects.toThrow('Redis does not accept this user and password');
  await expect(openKeyspace(redis.url)).rejects.toThrow('Redis asks for a password');
});

test('where nobody listens, opening gives up in time and says so', async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const opening = openKeyspace(url, { connectDeadline: 2000 });
  await expect(opening).rejects.toMatchObject({ failure: 'away' });
  await expect(opening).rejects.toThrow(/Redis cannot be reached. .*ECONNREFUSED/);
});

test('a server that comes up late is waited for', async () => {
  const redis = await OwnRedis.start();
  await redis.kill();
  const opening = open(redis.url);
  await redis.start();
  expect(await (await opening).k.set('a', '1')).toBe(true);
});

test('an older Redis is refused in words', async () => {
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      const info = '# Server\r\nredis_version:6.2.14\r\nrun_id:abc\r\n';
      for (const [word] of String(chunk).matchAll(/\b(?:hello|client|info)\r/gi)) {
        socket.write(/info/i.test(word) ? `$${info.length}\r\n${info}\r\n` : '%1\r\n+server\r\n+redis\r\n');
      }
    });
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const opening = openKeyspace(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(opening).rejects.toMatchObject({ failure: 'refused' });
  await expect(opening).rejects.toThrow('Redis is version 6.2.14. Parley needs 7.0 or newer');
});
