import { lstat } from 'node:fs/promises';
import { Failed } from './exit.ts';

/** Whatever has the name is replaced in the end: better no device, folder or link. */
export async function assertPlain(file: string): Promise<void> {
  const there = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there !== undefined && !there.isFile())
    throw new Failed(`${file} is no plain file. Name one, or - for standard output.`);
}
