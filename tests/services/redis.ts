import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';

export interface Redis {
  url: string;
  how: 'environment' | 'program' | 'container';
  /** The server's process, where it is one of ours. */
  pid?: number;
  stop(): Promise<void>;
}

/**
 * A Redis for one test file, empty unless it is the one that TEST_REDIS_URL names (which the tests may empty).
 * `options` are redis-server's own, `['--maxmemory', '1mb']`; without them nothing is written to disk.
 */
export async function startRedis(options: string[] = []): Promise<Redis> {
  const given = process.env.TEST_REDIS_URL;
  if (given) return { url: given, how: 'environment', stop: async () => {} };
  const program = findProgram('redis-server', 'valkey-server');
  if (program) return startProgram(program, options);
  return startContainer(options);
}

async function startProgram(program: string, options: string[]): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'));
  // Somebody else may take a port between the moment it is found free and the moment Redis binds it.
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
    const child = spawn(program, [...own, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const failure = await ready(child);
    if (failure === undefined) {
      const stop = async () => {
        process.off('exit', kill);
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGKILL');
          await once(child, 'exit');
        }
        rmSync(folder, { recursive: true, force: true });
      };
      return { url: `redis://127.0.0.1:${port}`, how: 'program', pid: child.pid, stop };
    }
    process.off('exit', kill);
    if (attempt === 5 || !/bind|in use/i.test(failure)) throw new Error(`${program} does not start:\n${failure}`);
  }
}

/** Waits until the server listens. Returns what it said when it ends instead. */
function ready(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000); // Heard to the end: a full pipe would stop the server.
      if (/Ready to accept connections/i.test(said)) resolve(undefined);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(said));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startContainer(options: string[]): Promise<Redis> {
  try {
    const { GenericContainer } = await import('testcontainers');
    const container = await new GenericContainer('valkey/valkey:8-alpine')
      .withCommand(['valkey-server', '--save', '', '--appendonly', 'no', ...options])
      .withExposedPorts(6379)
      .start();
    const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
    return { url, how: 'container', stop: async () => void (await container.stop()) };
  } catch (cause) {
    const redis = testNeeds.filter((need) => need.variable === 'TEST_REDIS_URL');
    throw new Error(missingMessage(redis, 'no container engine answers'), { cause });
  }
}
