import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHIVE_FILES, type ArchivePiece } from '@parley/server/admin/data-administration';
import { Failed } from './exit.ts';

/** Writes the files of an archive into a new folder. */
export async function writeArchive(folder: string, pieces: AsyncIterable<ArchivePiece>): Promise<void> {
  const files = new Map<string, FileHandle>();
  try {
    for await (const { file, text } of pieces) {
      if (!ARCHIVE_FILES.includes(file)) throw new Failed('The node names a file that this command does not know.');
      if (files.size === 0) await mkdir(folder, { mode: 0o700 });
      const output = files.get(file) ?? (await open(join(folder, file), 'wx', 0o600));
      files.set(file, output);
      await output.writeFile(text);
    }
  } finally {
    for (const output of files.values()) await output.close();
  }
  if (!files.has('kept.json')) throw new Failed('The node broke off: export again, into another folder.');
}
