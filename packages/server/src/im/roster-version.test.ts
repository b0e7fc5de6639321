import { expect, it } from 'vitest';
import { readVersion, versionText } from './roster-version.ts';

it.each([
  [17, undefined, '17'],
  [17, 'Ab-_9', '17-Ab-_9'],
])('%s and %s are %s', (own, shared, text) => {
  expect(versionText(own, shared)).toBe(text);
  expect(readVersion(text)).toEqual({ own, shared });
});

it.each(['', 'x', '17-', '-x', '17-a b', '12345678901234567', `17-${'x'.repeat(33)}`])('knows none of "%s"', (text) => {
  expect(readVersion(text)).toBeUndefined();
});
