import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { call } from './call.ts';

const root = resolve(import.meta.dirname, '../../..');

it('is short in the folder of the clone alone', () => {
  expect(call(root)).toBe('npm run parley --');
  expect(call('/elsewhere')).toBe(`node ${root}/scripts/parley.mjs`);
});

it('names the configuration, as a shell reads it', () => {
  expect(call(root, 'try/parley.yaml')).toBe('npm run parley -- --config try/parley.yaml');
  expect(call(root, "it's mine.yaml")).toBe(String.raw`npm run parley -- --config 'it'\''s mine.yaml'`);
});
