import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FRAMES = 'packages/server/src/cluster/frame-versions.ts';

export interface NextVersion {
  /** Its `parley`. */
  readonly cli: string;
  /** Of the program, and of its newest frames. */
  readonly version: string;
  readonly frames: number;
}

/** Puts something in the place of what a file must have once; what it had. */
function exchange(file: string, what: RegExp, by: (found: string) => string): string {
  const text = readFileSync(file, 'utf8');
  const found = text.match(new RegExp(what, 'g')) ?? [];
  if (found.length !== 1) throw new Error(`${file} does not have ${what} once.`);
  writeFileSync(file, text.replace(what, by));
  return found[0] ?? '';
}

/**
 * This program as its next version, in a folder of its own: with the next version of frames beside the one of now, which
 * differs from it by its number. Gone with the test.
 */
export function nextVersion(): NextVersion {
  const folder = mkdtempSync(join(tmpdir(), 'parley-next-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // links between the packages lead to the copies, and those to libraries to the libraries
  cpSync(join(ROOT, 'packages'), join(folder, 'packages'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !relative(ROOT, source).split(sep).includes('testing') && !source.endsWith('.test.ts'),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const frames = Number(exchange(join(folder, FRAMES), /(?<=FRAME_VERSIONS.*newest: )\d+/, (n) => `${Number(n) + 1}`));
  const bump = (version: string) => version.replace(/\d+(?=\.)/g, (part) => `${Number(part) + 1}`);
  let version = '';
  for (const name of readdirSync(join(folder, 'packages'))) {
    const file = join(folder, 'packages', name, 'package.json');
    version = exchange(file, /(?<="version": ")[^"]*/, bump);
  }
  return { cli: join(folder, 'packages/cli/src/parley.ts'), version: bump(version), frames: frames + 1 };
}
