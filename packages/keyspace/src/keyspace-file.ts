import { EmbeddedKeyspace } from './embedded/embedded-keyspace.ts';
import type { Keyspace } from './keyspace.ts';

/** What can be done with a keyspace that this process has in a file. */
export interface KeyspaceFile {
  /** Copies all of it, as it is at one moment, to a file that is not there yet; what is stored meanwhile waits for nothing. */
  copyTo(file: string): Promise<void>;
  /** Resolves when nothing is in the file any more of what was removed until now. */
  scrub(): Promise<void>;
}

/** Undefined where it is elsewhere, or in memory alone. */
export const fileOf = (keyspace: Keyspace): KeyspaceFile | undefined =>
  keyspace instanceof EmbeddedKeyspace ? keyspace.onDisk : undefined;
