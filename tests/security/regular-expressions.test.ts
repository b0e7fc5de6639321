import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where an expression begins, never a division. */
const LITERAL =
  /(?<=(?:^|[=(,:;!&|?[{}\n]|return|case|=>)\s*)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/[dgimsuvy]*/g;

/** The regular expressions that are written in a TypeScript source. */
function expressionsOf(source: string): string[] {
  return [...source.matchAll(LITERAL)].map((match) => match[1] as string);
}

/**
 * Whether something that may repeat without end stands in a group that may, too: such an expression can take time that
 * grows exponentially with its input.
 */
function repeatsInRepetition(pattern: string): boolean {
  const plain = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  const open: boolean[] = [];
  let repeats = false;
  for (let i = 0; i < plain.length; i++) {
    const unbounded = /^(?:[*+]|\{\d*,\})/.test(plain.slice(i + 1, i + 12));
    if (plain[i] === '(') {
      open.push(repeats);
      repeats = false;
    } else if (plain[i] === ')') {
      if (repeats && unbounded) return true;
      repeats = (open.pop() ?? false) || repeats || unbounded;
    } else if (unbounded) {
      repeats = true;
    }
  }
  return false;
}

describe('what is looked for is found', () => {
  test.each([
    ['(a+)+', true],
    ['(a*)*', true],
    ['(?:a|b+c)*', true],
    ['((a+)b)+', true],
    ['(x{2,})+', true],
    ['([^"]*",)+', true],
    ['a+b*', false],
    ['(a+)b', false],
    ['(ab?)+', false],
    ['(a{1,3})+', false],
    ['[(+*]+', false],
    ['\\(a+\\)+', false],
  ])('in %s: %s', (pattern, expected) => {
    expect(repeatsInRepetition(pattern)).toBe(expected);
  });

  test('in a source', () => {
    const source =
      'const a = /x[/]y/g;\nif (/^b\\/c+$/.test(d / e / f)) return /g/;\n// not / here /\nconst h = 1 / 2 / 3;';
    expect(expressionsOf(source)).toEqual(['x[/]y', '^b\\/c+$', 'g']);
  });
});

test('no regular expression of ours takes exponential time, and none is made from text', () => {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|testing/.test(file));
  const sources = files.map((file) => [file, readFileSync(join(root, file), 'utf8')] as const);
  const all = sources.flatMap(([file, source]) => expressionsOf(source).map((pattern) => `${file}: ${pattern}`));
  expect(all.length).toBeGreaterThan(20);
  expect(all.filter((each) => repeatsInRepetition(each.slice(each.indexOf(': ') + 2)))).toEqual([]);
  // the one that is made is another expression with other flags
  const made = sources.filter(([, source]) => /\bRegExp\((?!special, )/.test(source)).map(([file]) => file);
  expect(made).toEqual([]);
});
