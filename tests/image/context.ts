import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a .dockerignore: `*`, `!packages`, a path with stars in it. */
function pattern(line: string): { wanted: boolean; form: RegExp } {
  const wanted = line.startsWith('!');
  const path = (wanted ? line.slice(1) : line).replace(/\/$/, '');
  const form = path
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
    })
    .join('');
  return { wanted, form: new RegExp(`^${form}(?:/.*)?$`) };
}

/** Whether a build sees this file: the last line that speaks of it, or of a folder that it is in, says so. */
export function visible(ignore: string): (path: string) => boolean {
  const patterns = ignore
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(pattern);
  return (path) => patterns.findLast(({ form }) => form.test(path))?.wanted ?? true;
}

/** The files of a folder that a build of an image sees. */
export function contextOf(folder: string): string[] {
  const exclude = ({ name }: { name: string }) => name === 'node_modules' || name === '.git';
  return globSync('**/*', { cwd: folder, exclude, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter(visible(readFileSync(join(folder, '.dockerignore'), 'utf8')));
}
