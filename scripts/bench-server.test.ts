import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findProgram } from './test-services.ts';

const script = fileURLToPath(new URL('./bench-server.ts', import.meta.url));
const header = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client'
  xmlns:stream='http://etherx.jabber.org/streams'>`;

/** A port that is free, and the next one with it, which a second node listens on. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    const next = createServer().listen(port + 1, '127.0.0.1');
    const free = await once(next, 'listening').then(
      () => true,
      () => false,
    );
    if (free) await once(next.close(), 'close');
    if (free) return port;
  }
}

async function start(...args: string[]) {
  const port = await twoFreePorts();
  const server = spawn(process.execPath, [script, '--port', String(port), ...args]);
  onTestFinished(() => void server.kill('SIGKILL'));
  let errors = '';
  server.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(server, 'exit');
  const [line] = await Promise.race([once(server.stdout, 'data'), exited.then(() => [errors])]);
  const stop = async () => {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    return (await ended)[0];
  };
  const kill = () => {
    server.kill('SIGKILL');
    return exited;
  };
  return { port, line: String(line), stop, kill, exited };
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

test('several nodes share one Redis, survive each other, and end together', async () => {
  const { port, line, stop } = await start('--keyspace', 'redis', '--nodes', '2');
  if (!findProgram('redis-server', 'valkey-server')) return expect(line).toContain('redis-server is not installed');
  const { ports, pids } = JSON.parse(line);
  expect([ports, pids.length, new Set(pids).size]).toEqual([[port, port + 1], 4, 4]);
  for (const each of ports) expect(await streamFeatures(each)).toContain('<mechanism>');
  process.kill(pids.at(-1), 'SIGKILL');
  expect(await streamFeatures(port)).toContain('<mechanism>');
  expect(await stop()).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('nodes end with the process that started them, even where it is killed', async () => {
  const { line, kill } = await start('--keyspace', 'redis', '--nodes', '2');
  if (!findProgram('redis-server', 'valkey-server')) return expect(line).toContain('redis-server is not installed');
  const nodes: number[] = JSON.parse(line).pids.slice(2); // behind the process itself and Redis
  await kill();
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await vi.waitUntil(() => !nodes.some(alive), { timeout: 120_000 });
});

test('it says how it is used', async () => {
  const { line, exited } = await start('--help');
  expect(line).toContain('--nodes N');
  expect(await exited).toEqual([0, null]);
});
