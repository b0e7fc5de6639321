import { expect, test } from 'vitest';
import { PasswordError, preparePassword } from './password.ts';

test.each([
  ['pencil', 'pencil'],
  ['Correct Horse', 'Correct Horse'],
  ['cafe\u0301', 'caf\u00e9'],
  ['a\u00a0b', 'a b'],
  ['x'.repeat(1023), 'x'.repeat(1023)],
])('%j is known as %j', (text, prepared) => {
  expect(preparePassword(text)).toBe(prepared);
});

test.each([
  ['', /empty/],
  ['a\0b', /cannot hold/],
  ['a\nb', /cannot hold/],
  ['\ud800', /cannot hold/],
  ['x'.repeat(1024), /longer than 1023 bytes/],
  ['\u00e9'.repeat(512), /longer than 1023 bytes/],
  ['x'.repeat(10_000_000), /longer than 1023 bytes/],
])('a wrong one is refused', (text, reason) => {
  expect(() => preparePassword(text)).toThrow(PasswordError);
  expect(() => preparePassword(text)).toThrow(reason);
});

test('a reason never repeats the password', () => {
  expect(() => preparePassword('sesame\0')).not.toThrow(/sesame/);
});
