import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  stat,
  statSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Sink } from './audit-queue.ts';

// A pipe that nobody reads is an error, and no wait.
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const LOOK_MS = 1000;
const NEWLINE = 0x0a;

/**
 * A file that is only ever added to, and that only the user of this process can read where it made it. Where somebody has
 * moved it away, as logrotate does, it is made anew.
 */
export class FileSink implements Sink {
  readonly #path: string;
  #descriptor: number;
  #inode: number;
  readonly #look: NodeJS.Timeout;
  #moved = false;
  #writing = false;
  #closed = false;

  /** Throws where it cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#descriptor = opened(path);
    this.#inode = fstatSync(this.#descriptor).ino;
    this.#look = setInterval(() => stat(path, (error, found) => this.#found(error, found)), LOOK_MS).unref();
  }

  send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void {
    try {
      this.#follow();
    } catch (error) {
      process.nextTick(done, error as Error, 0);
      return;
    }
    this.#writing = true;
    write(this.#descriptor, Buffer.concat(lines), (error, bytes) => {
      this.#writing = false;
      if (this.#closed) closeSync(this.#descriptor);
      done(error ?? undefined, error ? 0 : bytes);
    });
  }

  sendAtOnce(lines: readonly Buffer[]): void {
    this.#follow();
    writeSync(this.#descriptor, Buffer.concat(lines));
  }

  reopen(): void {
    this.#moved = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#look);
    if (!this.#writing) closeSync(this.#descriptor);
  }

  #found(error: NodeJS.ErrnoException | null, found: Stats): void {
    if (error ? error.code === 'ENOENT' : found.ino !== this.#inode) this.#moved = true;
  }

  /** The old one stays open until there is a new one: lines are rather in a file that was moved than nowhere. */
  #follow(): void {
    if (!this.#moved) return;
    const next = opened(this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#inode = fstatSync(next).ino;
    this.#moved = false;
  }
}

function opened(path: string): number {
  const isNew = !existsSync(path);
  const descriptor = openSync(path, FLAGS, 0o600);
  try {
    if (isNew) giveToOwnerOfFolder(descriptor, path);
    // what a process that died has left unfinished must not swallow the next line
    if (endsWithin(path)) writeSync(descriptor, '\n');
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** A command that root gives must not keep the node, which is somebody else, out of its file. */
function giveToOwnerOfFolder(descriptor: number, path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(dirname(path));
  fchownSync(descriptor, uid, gid);
}

/** Whether the file ends within a line. */
function endsWithin(path: string): boolean {
  const { size } = statSync(path);
  if (size === 0) return false;
  let reader: number;
  try {
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false; // it may be allowed to write and not to read
  }
  try {
    const last = Buffer.alloc(1);
    readSync(reader, last, 0, 1, size - 1);
    return last[0] !== NEWLINE;
  } finally {
    closeSync(reader);
  }
}
