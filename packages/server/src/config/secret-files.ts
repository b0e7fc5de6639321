import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { child, type OptionSchema, pathText } from './option-schema.ts';
import type { Problem } from './problem.ts';
import { isTree, type Tree } from './tree.ts';

const MOST_BYTES = 65_536;

/** How the text of a file is had. */
export type ReadText = (file: string) => string;

/** For those who need no secret, and may not be allowed to read any: something that looks like one. */
export const unreadSecret: ReadText = () => 'not read'.repeat(8);

const readText: ReadText = (file) => readFileSync(file, 'utf8');

/** Puts what each `…File` of a secret holds into the secret's place; answers what is wrong. Relative to `directory`. */
export function readSecretFiles(
  tree: Tree,
  option: OptionSchema,
  directory: string,
  read: ReadText = readText,
  path: readonly PropertyKey[] = [],
): Problem[] {
  const problems: Problem[] = [];
  for (const [key, entry] of Object.entries(option.properties ?? {})) {
    const group = tree[key];
    if (entry.properties && isTree(group))
      problems.push(...readSecretFiles(group, entry, directory, read, [...path, key]));
    if (entry.items?.properties && Array.isArray(group)) {
      for (const [index, each] of group.entries()) {
        if (isTree(each)) problems.push(...readSecretFiles(each, entry.items, directory, read, [...path, key, index]));
      }
    }
    const fileKey = `${key}File`;
    const file = tree[fileKey];
    if (!entry.secret || typeof file !== 'string' || child(option, fileKey) === undefined) continue;
    const report = (problem: string, cure: string) =>
      problems.push({ path: pathText([...path, fileKey]), problem, cure });
    if (tree[key] !== undefined) {
      report(`stands beside ${key}`, 'keep one of the two');
      continue;
    }
    try {
      // The line end that editors and `echo` leave behind is no part of a secret.
      const text = read(resolve(directory, file)).replace(/\r?\n$/, '');
      if (Buffer.byteLength(text) > MOST_BYTES)
        report('names a file that is too large', 'name one with the secret alone');
      else tree[key] = text;
    } catch (error) {
      report(
        `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
        'name a file that the node may read',
      );
    }
  }
  return problems;
}
