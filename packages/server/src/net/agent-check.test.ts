import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { AgentCheck } from './agent-check.ts';

async function start(answer: () => string): Promise<{ agent: AgentCheck; port: number }> {
  const agent = new AgentCheck({ answer, onError: () => {} });
  onTestFinished(() => agent[Symbol.asyncDispose]());
  return { agent, port: await agent.listen({ host: '127.0.0.1', port: 0 }) };
}

async function open(port: number, allowHalfOpen = false): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function said(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  await once(socket, 'end');
  return text;
}

it('answers each connection with one line of that moment', async () => {
  let answer = 'ready up 100%';
  const { port } = await start(() => answer);
  expect(await said(await open(port))).toBe('ready up 100%\n');
  answer = 'drain';
  const asking = await open(port);
  asking.write('which one?\n');
  expect(await said(asking)).toBe('drain\n');
});

it('cuts whoever stays', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { port } = await start(() => 'ready');
  const socket = await open(port, true);
  await said(socket);
  vi.advanceTimersByTime(5000);
  const busy = setInterval(() => socket.write('still here'), 5); // and so learns of it
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(busy);
});

it('lets go of everybody when it ends', async () => {
  const { agent, port } = await start(() => 'ready');
  const socket = await open(port, true);
  await said(socket);
  await agent[Symbol.asyncDispose]();
  const refused = connect({ host: '127.0.0.1', port });
  const [error] = await once(refused, 'error').catch((reason: Error) => [reason]);
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
});
