import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { assertPlain } from './plain-file.ts';

/** What is broken off leaves the file as it was. */
export async function intoFile(file: string, write: (output: Writable) => Promise<void>): Promise<void> {
  if (file === '-') return write(process.stdout);
  await assertPlain(file);
  const part = `${file}.part`;
  await rm(part, { force: true });
  const output = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await Promise.race([write(output), once(output, 'error').then(([error]) => Promise.reject(error))]);
    output.end();
    await once(output, 'close');
    await rename(part, file);
  } catch (error) {
    output.destroy();
    await rm(part, { force: true });
    throw error;
  }
}
