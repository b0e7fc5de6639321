import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { ExportPiece } from '@parley/server/admin/data-administration';
import { Failed } from './exit.ts';
import { isBeingWritten, type PartMark, readMark, thisProcess, writeMark } from './part-mark.ts';
import { assertPlain } from './plain-file.ts';

/** What is written before it is made sure of: that much is written once more where a process is killed. */
const UNSURE_BYTES = 1_048_576;
const ANEW = 'Give another name to this one, or begin anew with --anew.';

/**
 * An export that is being written: FILE.part until it is whole, with a mark of what of it is good, FILE.part.json. Whatever
 * breaks it off, what the mark speaks of is on the disk; what stands behind that is cut off by whoever goes on.
 */
export class PartFile implements AsyncDisposable {
  readonly #file: string;
  readonly #handle: FileHandle;
  /** As it is on the disk. */
  #mark: PartMark;
  /** As it will be. */
  #next: PartMark;
  #size: number;
  #accounts: number;
  #whole = false;

  private constructor(file: string, handle: FileHandle, mark: PartMark) {
    this.#file = file;
    this.#handle = handle;
    this.#mark = this.#next = mark;
    this.#size = mark.bytes;
    this.#accounts = mark.accounts;
  }

  /** Goes on with what is there of an export of the same (`of`), unless it is to be begun anew, or begins one. */
  static async open(file: string, of: string, anew = false): Promise<PartFile> {
    await assertPlain(file);
    const before = anew ? undefined : await readMark(markOf(file));
    if (before !== undefined && isBeingWritten(before))
      throw new Failed(`Process ${before.process} writes ${partOf(file)} just now. ${ANEW}`);
    if (before?.last !== undefined && before.of !== of)
      throw new Failed(`${partOf(file)} is a part of ${before.of}, and this would be ${of}. ${ANEW}`);
    const mark: PartMark = { of, begun: new Date().toISOString(), ...thisProcess(), bytes: 0, accounts: 0 };
    const found = before?.last === undefined ? undefined : await reopened(file, before.bytes);
    const part =
      before === undefined || found === undefined
        ? new PartFile(file, await made(file), mark)
        : new PartFile(file, found, { ...before, ...thisProcess() });
    await writeMark(markOf(file), part.#mark);
    return part;
  }

  get begun(): string {
    return this.#mark.begun;
  }

  /** All that are in it, those that are not sure yet, too. */
  get accounts(): number {
    return this.#accounts;
  }

  get bytes(): number {
    return this.#size;
  }

  /** The account after which it goes on where it was. */
  get last(): string | undefined {
    return this.#next.last;
  }

  async add({ text, accounts, server, last }: ExportPiece): Promise<void> {
    if (server !== undefined) this.#comesFrom(server);
    const bytes = Buffer.from(text);
    await this.#handle.writeFile(bytes); // behind what is there
    this.#size += bytes.length;
    this.#accounts += accounts;
    if (last === undefined) return;
    this.#next = { ...this.#next, bytes: this.#size, accounts: this.#accounts, last };
    if (this.#size - this.#mark.bytes >= UNSURE_BYTES) await this.#makeSure();
  }

  #comesFrom(server: string): void {
    const { last, server: before } = this.#next;
    if (last !== undefined && before !== server)
      throw new Failed(`${partOf(this.#file)} is a part of the accounts of another server. ${ANEW}`);
    this.#next = { ...this.#next, server };
  }

  async #makeSure(): Promise<void> {
    await this.#handle.sync();
    await this.#assertOwn();
    await writeMark(markOf(this.#file), this.#next);
    this.#mark = this.#next;
  }

  /** It is whole: it gets its name. */
  async finish(): Promise<void> {
    await this.#handle.sync();
    await this.#assertOwn();
    await rename(partOf(this.#file), this.#file);
    this.#whole = true;
    await rm(markOf(this.#file), { force: true });
  }

  /** What there is stays, unless that is nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#whole) return;
      if (this.#next !== this.#mark && this.#next.last !== undefined) await this.#makeSure();
      await this.#assertOwn();
      if (this.#mark.last === undefined) await remove(this.#file);
    } catch {
      // why it ends is known; what was good before is good still
    } finally {
      await this.#handle.close();
    }
  }

  /** Whoever has begun anew meanwhile has the name. */
  async #assertOwn(): Promise<void> {
    const [own, named] = await Promise.all([this.#handle.stat(), stat(partOf(this.#file)).catch(() => undefined)]);
    if (own.ino !== named?.ino || own.dev !== named.dev)
      throw new Failed(`${partOf(this.#file)} was taken away, or is that of another export now.`);
  }
}

const partOf = (file: string): string => `${file}.part`;
const markOf = (file: string): string => `${file}.part.json`;

async function made(file: string): Promise<FileHandle> {
  await remove(file);
  return open(partOf(file), 'wx', 0o600);
}

async function remove(file: string): Promise<void> {
  await rm(markOf(file), { force: true });
  await rm(partOf(file), { force: true });
}

/** What stands behind so many bytes was not made sure of, and is cut off. Undefined where there is nothing. */
async function reopened(file: string, bytes: number): Promise<FileHandle | undefined> {
  const part = partOf(file);
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW;
  const handle = await open(part, flags).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined; // it was whole, and had its name
    throw new Failed(`${part} cannot be gone on with: ${error.message}. ${ANEW}`);
  });
  if (handle === undefined) return undefined;
  try {
    const { size, uid, mode } = await handle.stat();
    if (size < bytes) throw new Failed(`${part} is shorter than it was: it cannot be gone on with. ${ANEW}`);
    // it may lie where somebody else has put it, in order to read what comes
    if ((process.getuid !== undefined && uid !== process.getuid()) || (mode & 0o077) !== 0)
      throw new Failed(`${part} is not this user's alone, and passwords would be written into it. ${ANEW}`);
    await handle.truncate(bytes);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}
