import { closeSync, constants, fchownSync, lchownSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const { O_RDONLY, O_CREAT, O_EXCL } = constants;

/**
 * Root opens what is another user's, such as a stopped node's: whatever it makes there is that user's, too. Where there was
 * no folder, that is the owner of the one in which it is made.
 */
export function makeFolder(folder: string): void {
  const path = resolve(folder);
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (first === undefined || !isRoot()) return;
  const { uid, gid } = statSync(dirname(first));
  // from below, so that nobody has a folder before what is made in it
  for (let made = path; made.length >= first.length; made = dirname(made)) lchownSync(made, uid, gid);
}

/** Makes the file where there is none. What was there is not touched: a link may lead to what is not that user's. */
export function makeFile(path: string): void {
  let made: number;
  try {
    made = openSync(path, O_RDONLY | O_CREAT | O_EXCL, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  try {
    if (!isRoot()) return;
    const { uid, gid } = statSync(dirname(path));
    fchownSync(made, uid, gid);
  } finally {
    closeSync(made);
  }
}

const isRoot = () => process.getuid?.() === 0;
