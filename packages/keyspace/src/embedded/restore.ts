import {
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { KeyspaceError } from '../keyspace-error.ts';
import { Database } from './database.ts';

const FILE = 'keyspace.sqlite';
/** Where what was there before is kept. */
export const BEFORE = 'keyspace.before-restore.sqlite';

/** A folder in which a copy of a keyspace is put to be restored; it goes with `Symbol.dispose`. */
export class RestoreFolder implements Disposable {
  readonly #directory: string;
  readonly #folder: string;

  /** `directory`: of the keyspace that is to be replaced. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#folder = mkdtempSync(join(directory, 'restoring-'));
  }

  /** What the copy is to be written to. */
  get file(): string {
    return join(this.#folder, FILE);
  }

  /**
   * Puts the copy in the place of what the directory holds, at once: whenever this is cut off, one of the two is there as a
   * whole. Throws a KeyspaceError, and changes nothing, where the copy is no good or the directory is in use. Resolves with
   * whether something was there before, which is kept under another name.
   */
  replace(): boolean {
    // without one, an empty one would be made
    if (!statSync(this.file, { throwIfNoEntry: false })?.size) {
      throw new KeyspaceError('refused', 'There is nothing to be restored.');
    }
    const copy = new Database(settings(this.#folder));
    try {
      copy.check();
      copy.settle();
    } catch (error) {
      throw copy.failure(error);
    } finally {
      copy.close();
    }
    giveTo(this.#directory, this.file);
    flush(this.file);
    // Open until the end, so that nobody else opens it; and closed as a whole, so that nothing beside it is read into the new one.
    const former = new Database(settings(this.#directory));
    try {
      const held = former.holdsAnything;
      former.settle();
      const [place, before] = [join(this.#directory, FILE), join(this.#directory, BEFORE)];
      if (held) {
        rmSync(before, { force: true });
        linkSync(place, before);
      }
      renameSync(this.file, place);
      flush(this.#directory);
      return held;
    } catch (cause) {
      if (cause instanceof KeyspaceError) throw cause;
      throw new KeyspaceError('refused', `The copy cannot be put in place: ${(cause as Error).message}`, { cause });
    } finally {
      former.close();
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const settings = (directory: string) => ({ directory, durability: 'power', maxBytes: 0 }) as const;

/** Root restores for the user of the node, to whom the directory belongs. */
function giveTo(directory: string, file: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(directory);
  chownSync(file, uid, gid);
}

function flush(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}
