import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from './redis.ts';

async function ask(url: string, command: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`${command}\r\n`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return String(answer);
}

test('a Redis starts, answers, and is gone after stop', async () => {
  const redis = await startRedis();
  onTestFinished(redis.stop);
  expect(await ask(redis.url, 'PING')).toBe('+PONG\r\n');
  await redis.stop();
  if (redis.how === 'program') await expect(ask(redis.url, 'PING')).rejects.toThrow(/ECONNREFUSED/);
});
