import { Cluster, type Redis } from 'ioredis';
import { KeyspaceError } from '../keyspace-error.ts';
import type { Client } from './client.ts';

const OLDEST = '7.0';

/** Throws in words where a server is too old. Returns what tells this run of the server from every other. */
export async function checkServer(client: Client): Promise<string> {
  if (!(client instanceof Cluster)) return checkOne(client);
  // This also waits for the connections to all of them, before which some commands would find none.
  await Promise.all(client.nodes('master').map(checkOne));
  // Of a cluster, each server comes and goes for itself.
  return '';
}

async function checkOne(server: Redis): Promise<string> {
  const info = await server.info('server');
  const version = /^redis_version:(\d+)\.(\d+)\S*/m.exec(info);
  if (!version) {
    throw new KeyspaceError('refused', 'What answers at the address of Redis does not say which version it is.');
  }
  if (Number(version[1]) < 7) {
    const found = version[0].slice('redis_version:'.length);
    throw new KeyspaceError('refused', `Redis is version ${found}. Parley needs ${OLDEST} or newer: update Redis.`);
  }
  return /^run_id:(\S+)/m.exec(info)?.[1] ?? '';
}
