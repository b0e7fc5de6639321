import type { Redis } from 'ioredis';
import { KeyspaceError } from '../keyspace-error.ts';

const OLDEST = '7.0';

/** Throws in words where a server is too old. Returns what tells this run of the server from every other. */
export async function checkServer(server: Redis): Promise<string> {
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
