import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from './test-services.ts';

const script = fileURLToPath(new URL('./bench-server.ts', import.meta.url));
const header = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client'
  xmlns:stream='http://etherx.jabber.org/streams'>`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function start(...args: string[]) {
  const port = await freePort();
  const server = spawn(process.execPath, [script, '--port', String(port), ...args]);
  onTestFinished(() => void server.kill('SIGKILL'));
  let errors = '';
  server.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [line] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit').then(() => [errors])]);
  const stop = async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    return (await ended)[0];
  };
  return { port, line: String(line), stop };
}

async function streamFeatures(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(header);
  let said = '';
  for await (const chunk of socket) {
    said += chunk;
    if (said.includes('</stream:features>')) break;
  }
  return said;
}

test('it says where it listens, offers logins without TLS, and ends on SIGTERM', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-bench-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { port, line, stop } = await start('--data', folder);
  expect(JSON.parse(line)).toEqual({ port, ports: [port], pids: [expect.any(Number)] });
  const features = await streamFeatures(port);
  for (const offer of ['<mechanism>SCRAM-SHA-1</mechanism>', '<mechanism>PLAIN</mechanism>', '<starttls']) {
    expect(features).toContain(offer);
  }
  expect(await stop()).toBe(0);
  expect(existsSync(join(folder, 'data'))).toBe(true);
});

test('a Redis of its own is named and ends with it', async () => {
  const { port, line, stop } = await start('--keyspace', 'redis');
  if (!findProgram('redis-server', 'valkey-server')) return expect(line).toContain('redis-server is not installed');
  const { pids } = JSON.parse(line);
  expect(pids).toHaveLength(2);
  expect(await streamFeatures(port)).toContain('<mechanism>');
  expect(await stop()).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
