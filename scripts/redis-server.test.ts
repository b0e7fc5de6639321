import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findProgram } from './test-services.ts';

async function answers(url: string): Promise<boolean> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}); // the server that it is connected to ends, in whatever way
  onTestFinished(() => void socket.destroy());
  return once(socket, 'connect').then(
    () => true,
    () => false,
  );
}

// Test runners terminate their threads, and then no `exit` is heard there.
test('a server ends with the thread that started it, whichever way that ends', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-redis-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const module = new URL('./redis-server.ts', import.meta.url).href;
  const code = `import { parentPort } from 'node:worker_threads';
    const { startRedisServer } = await import(${JSON.stringify(module)});
    const server = await startRedisServer(${JSON.stringify(folder)}, ['--save', '']);
    parentPort.postMessage(server?.url);
    setInterval(() => {}, 1000);`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const [url] = await once(worker, 'message');
  if (!findProgram('redis-server', 'valkey-server')) {
    await worker.terminate();
    return expect(url).toBeUndefined();
  }
  expect(await answers(url)).toBe(true);
  await worker.terminate();
  await vi.waitUntil(async () => !(await answers(url)), { timeout: 60_000 });
});
