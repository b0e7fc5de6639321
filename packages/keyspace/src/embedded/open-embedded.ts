import { resolve } from 'node:path';
import type { Bus } from '../bus.ts';
import type { KeyspaceOptions } from '../keyspace-options.ts';
import { Trouble } from '../trouble.ts';
import { Disk } from './disk.ts';
import { EmbeddedBus } from './embedded-bus.ts';
import { EmbeddedKeyspace } from './embedded-keyspace.ts';
import { Memory } from './memory.ts';
import { Writer } from './writer.ts';

const MEGABYTE = 1024 * 1024;

/** `directory` is undefined for a keyspace that is in memory alone and ends with `close`. */
export async function openEmbedded(
  directory: string | undefined,
  options: KeyspaceOptions,
): Promise<{ keyspace: EmbeddedKeyspace; bus: Bus; disk: Disk | undefined }> {
  const { observer = {}, now = Date.now, deadline = 5000, maxPendingBytes = 64 * MEGABYTE } = options;
  const { durability = 'process', maxBytes = 0, snapshotMilliseconds = 60_000 } = options;
  const memory = new Memory(now);
  const trouble = new Trouble();
  const bus = new EmbeddedBus(options.node);
  let disk: Disk | undefined;
  if (directory !== undefined) {
    const writer = new Writer({ directory: resolve(directory), durability, maxBytes });
    const loaded = await writer.load(memory);
    for (const warning of loaded.warnings) observer.warning?.(warning);
    const snapshotBytes = options.snapshotBytes ?? 64 * MEGABYTE;
    const rest = { deadline, maxPendingBytes, snapshotMilliseconds, snapshotBytes };
    disk = new Disk({ memory, writer, loaded, trouble, observer, ...rest });
  }
  return { keyspace: new EmbeddedKeyspace({ memory, bus, trouble, observer, persistence: disk }), bus, disk };
}
