import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { includedFile } from './xinclude.ts';

let root: string;
let folder: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'parley-xinclude-')));
  folder = join(root, 'export');
  mkdirSync(join(folder, 'capulet.com'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'secret');
  writeFileSync(join(folder, 'capulet.com', 'juliet capulet.xml'), '');
  symlinkSync(join(root, 'secret'), join(folder, 'link.xml'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('finds a file below the folder of the export', () => {
  const main = join(folder, 'main.xml');
  const juliet = join(folder, 'capulet.com', 'juliet capulet.xml');
  expect(includedFile('capulet.com/juliet%20capulet.xml', main, folder)).toBe(juliet);
  expect(includedFile('juliet%20capulet.xml', join(folder, 'capulet.com', 'x.xml'), folder)).toBe(juliet);
});

it.each([
  '',
  '/etc/passwd',
  'file:///etc/passwd',
  'https://example.org/x.xml',
  '../secret',
  '%2e%2e/secret',
  'link.xml',
  'capulet.com/../../secret',
  'missing.xml',
  '%00',
  '%zz',
  'x.xml?y',
  '//example.org/x.xml',
])('opens nothing else: %s', (href) => {
  expect(includedFile(href, join(folder, 'main.xml'), folder)).toEqual({ problem: expect.any(String) });
});
