import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { BACKUP_FORMAT, type BackupHeader, LONGEST_LINE } from '@parley/server/data/backup-file';
import { Failed } from './exit.ts';

/** Takes a backup apart as it comes: gives the bytes of the file inside, and throws a Failed where it is none, or not whole. */
export class BackupReader {
  readonly #hash = createHash('sha256');
  #line = Buffer.alloc(0);
  #left = 0;
  header: BackupHeader | undefined;

  /** What of these bytes belongs to the file inside. */
  take(bytes: Buffer): Buffer {
    let rest = bytes;
    if (this.header === undefined) {
      const all = Buffer.concat([this.#line, bytes]);
      const end = all.indexOf(10);
      if (end === -1 && all.length < LONGEST_LINE) {
        this.#line = all;
        return Buffer.alloc(0);
      }
      this.header = readHeader(all.subarray(0, end));
      this.#left = this.header.bytes;
      this.#hash.update(all.subarray(0, end + 1));
      this.#line = Buffer.alloc(0);
      rest = all.subarray(end + 1);
    }
    const content = rest.subarray(0, this.#left);
    this.#left -= content.length;
    this.#hash.update(content);
    this.#line = Buffer.concat([this.#line, rest.subarray(content.length)]);
    if (this.#line.length > LONGEST_LINE) throw new Failed('There is more in this backup than there should be.');
    return content;
  }

  /** Nothing more comes. */
  end(): BackupHeader {
    const { header } = this;
    if (header === undefined) throw new Failed(NO_BACKUP);
    if (this.#left > 0) throw new Failed('This backup is cut off: it ends too early.');
    if (readTrailer(this.#line) !== this.#hash.digest('hex')) {
      throw new Failed('This backup is damaged: its check sum does not fit. Nothing of it is used.');
    }
    return header;
  }
}

const NO_BACKUP = 'This is no backup that parley has made.';

function readHeader(line: Buffer): BackupHeader {
  const header = parsed(line) as Partial<BackupHeader> | undefined;
  const format = header?.['parley-backup'];
  if (typeof format !== 'number' || !Number.isSafeInteger(header?.bytes)) throw new Failed(NO_BACKUP);
  if (format > BACKUP_FORMAT) {
    throw new Failed(
      `This backup was made by version ${header?.version}, whose form this version does not know. Restore it with that one, or a newer one.`,
    );
  }
  return header as BackupHeader;
}

const readTrailer = (line: Buffer): string | undefined => (parsed(line) as { sha256?: string } | undefined)?.sha256;

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString()) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Writes the file that is in a backup (`-`: that comes on standard input). Throws a Failed where it is not whole. */
export async function extractBackup(backup: string, file: string): Promise<BackupHeader> {
  const reader = new BackupReader();
  const input: AsyncIterable<Buffer> = backup === '-' ? process.stdin : createReadStream(backup);
  const output: FileHandle = await open(file, 'wx', 0o600);
  try {
    for await (const bytes of input) {
      const content = reader.take(bytes);
      if (content.length > 0) await output.writeFile(content);
    }
    return reader.end();
  } finally {
    await output.close();
  }
}
