import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openKeyspace } from '../open.ts';
import { OwnRedis } from '../testing/own-redis.ts';

const bulk = (text: string | number) => `$${String(text).length}\r\n${text}\r\n`;

/** A sentinel that knows of one primary; `asked` says when it answers where that is. */
async function sentinelOf(primary: OwnRedis, asked: () => Promise<void>) {
  const followers = new Set<Socket>();
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.on('data', async (bytes) => {
      for (const [, words = ''] of String(bytes).matchAll(/\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n)+)/g)) {
        const command = words.split('\r\n').filter((_, index) => index % 2 === 1);
        const what = command.slice(0, 2).join(' ').toLowerCase();
        if (what === 'sentinel get-master-addr-by-name') {
          await asked();
          socket.write(`*2\r\n${bulk('127.0.0.1')}${bulk(primary.port)}`);
        } else if (what.startsWith('subscribe')) {
          followers.add(socket);
          socket.write(`*3\r\n${bulk('subscribe')}${bulk('+switch-master')}:1\r\n`);
        } else if (what.startsWith('hello')) socket.write('-NOPROTO unsupported protocol version\r\n');
        else socket.write(what.startsWith('sentinel') ? '*0\r\n' : '+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    followers,
    /** It tells everybody who listens that there is another primary. */
    switches() {
      const message = `*3\r\n${bulk('message')}${bulk('+switch-master')}${bulk('chat 127.0.0.1 1 127.0.0.1 2')}`;
      for (const follower of followers) follower.write(message);
    },
  };
}

test('a failover that is told of while a sentinel is asked where the primary is cuts nobody off for good', async () => {
  const redis = await OwnRedis.start();
  let answer = () => {};
  let questions = 0;
  const sentinel = await sentinelOf(redis, async () => {
    // the first one who asks comes in at once, the next one is told of the failover first
    if (++questions === 2) await new Promise<void>((resolve) => (answer = resolve));
  });
  const { keyspace } = await openKeyspace(`redis+sentinel://127.0.0.1:${sentinel.port}/chat`);
  onTestFinished(() => keyspace.close());
  await vi.waitFor(() => expect(sentinel.followers.size).toBe(1));
  await redis.kill();
  await vi.waitFor(() => expect(questions).toBe(2));
  sentinel.switches();
  const [follower] = sentinel.followers;
  await once(follower as Socket, 'close'); // it was heard
  answer();
  await redis.start();
  await vi.waitFor(() => expect(keyspace.state).toBe('up'));
  expect(await keyspace.set('a', '1')).toBe(true);
});
