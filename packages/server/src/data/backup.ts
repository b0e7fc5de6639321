import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { fileOf } from '@parley/keyspace/keyspace-file';
import { AdministrationError } from '../admin/administration-error.ts';
import { version } from '../version.ts';
import { BACKUP_FORMAT, type BackupHeader, type BackupTrailer } from './backup-file.ts';

export interface BackupHost {
  readonly keyspace: Keyspace;
  /** Where the data are; undefined where they are not in a file of this process. */
  readonly folder: string | undefined;
  readonly domains: readonly string[];
}

/** Copies that are being made lie there, beside the data, where there is as much room again as they take. */
const COPY = /^backup-[0-9a-f-]+\.sqlite$/;

/** Of which a backup is being made just now: one at a time. */
const running = new WeakSet<Keyspace>();

/** A backup of everything that is stored, as it is at one moment. Throws an AdministrationError. */
export async function* backup({ keyspace, folder, domains }: BackupHost): AsyncGenerator<Buffer> {
  const file = fileOf(keyspace);
  if (file === undefined || folder === undefined) throw new AdministrationError('refused', IN_REDIS);
  if (running.has(keyspace)) throw new AdministrationError('conflict', 'A backup is being made just now.');
  running.add(keyspace);
  const copy = join(folder, `backup-${randomUUID()}.sqlite`);
  try {
    for (const left of await readdir(folder)) if (COPY.test(left)) await rm(join(folder, left), { force: true });
    await file.copyTo(copy);
    yield* told(copy, domains);
  } catch (error) {
    throw error instanceof KeyspaceError ? new AdministrationError('unavailable', error.message) : error;
  } finally {
    await rm(copy, { force: true });
    running.delete(keyspace);
  }
}

async function* told(copy: string, domains: readonly string[]): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const line = (value: BackupHeader | BackupTrailer) => Buffer.from(`${JSON.stringify(value)}\n`);
  const { size } = await stat(copy);
  const created = new Date().toISOString();
  const header = line({ 'parley-backup': BACKUP_FORMAT, version, created, domains, bytes: size });
  hash.update(header);
  yield header;
  for await (const bytes of createReadStream(copy) as AsyncIterable<Buffer>) {
    hash.update(bytes);
    yield bytes;
  }
  yield line({ sha256: hash.digest('hex') });
}

const IN_REDIS =
  'The data are in Redis, which has backups of its own: see docs/data.md. This is for the embedded keyspace.';
