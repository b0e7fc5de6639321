import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../../scripts/redis-server.ts';
import { missingMessage, testNeeds } from '../../scripts/test-services.ts';

export interface Redis {
  url: string;
  how: 'environment' | 'program' | 'container';
  /** The server's process, where it is one of ours. */
  pid?: number;
  stop(): Promise<void>;
}

const inMemory = ['--save', '', '--appendonly', 'no'];

/**
 * A Redis for one test file, empty unless it is the one that TEST_REDIS_URL names (which the tests may empty).
 * `options` are redis-server's own, `['--maxmemory', '1mb']`; without them nothing is written to disk.
 */
export async function startRedis(options: string[] = []): Promise<Redis> {
  const given = process.env.TEST_REDIS_URL;
  if (given) return { url: given, how: 'environment', stop: async () => {} };

  const folder = await mkdtemp(join(tmpdir(), 'parley-redis-'));
  const server = await startRedisServer(folder, [...inMemory, ...options]);
  if (!server) {
    await rm(folder, { recursive: true });
    return startContainer(options);
  }
  const stop = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: server.url, how: 'program', pid: server.pid, stop };
}

async function startContainer(options: string[]): Promise<Redis> {
  try {
    const { GenericContainer } = await import('testcontainers');
    const container = await new GenericContainer('valkey/valkey:8-alpine')
      .withCommand(['valkey-server', ...inMemory, ...options])
      .withExposedPorts(6379)
      .start();
    const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
    return { url, how: 'container', stop: async () => void (await container.stop()) };
  } catch (cause) {
    const redis = testNeeds.filter((need) => need.variable === 'TEST_REDIS_URL');
    throw new Error(missingMessage(redis, 'no container engine answers'), { cause });
  }
}
