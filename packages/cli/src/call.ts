import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../..');

/** What to type for `parley` in this folder, with the configuration that is in use where it would not be found by itself. */
export function call(folder: string, config?: string): string {
  const program = folder === ROOT ? 'npm run parley --' : `node ${word(join(ROOT, 'scripts/parley.mjs'))}`;
  return config === undefined ? program : `${program} --config ${word(config)}`;
}

/** As one word of a shell. */
const word = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
