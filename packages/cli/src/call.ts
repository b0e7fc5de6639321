import { realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');
const COMMAND = join(ROOT, 'deploy/parley');

/** What to type for `parley` in this folder, with the configuration that is in use where it would not be found by itself. */
export function call(folder: string, config?: string): string {
  const program = onPath()
    ? 'parley'
    : folder === ROOT
      ? 'npm run parley --'
      : `node ${word(join(ROOT, 'scripts/parley.mjs'))}`;
  return config === undefined ? program : `${program} --config ${word(config)}`;
}

/** Whether `parley` is a command here, and means this installation. */
function onPath(path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => realPath(join(folder, 'parley')) === COMMAND);
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    return undefined; // there is none, or it is not for us
  }
}

/** As one word of a shell. */
const word = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
