import { expect, it } from 'vitest';
import { nearest } from './nearest.ts';

const candidates = ['maxBytes', 'maxStanzas', 'stalledSeconds'];

it.each([
  ['maxbytes', 'maxBytes'],
  ['max_bytes', 'maxBytes'],
  ['maxByte', 'maxBytes'],
  ['stanzas', 'maxStanzas'],
  ['stalled', 'stalledSeconds'],
  ['max', undefined],
  ['colour', undefined],
  ['x'.repeat(100_000), undefined],
])('takes %s for %s', (text, expected) => {
  expect(nearest(text, candidates)).toBe(expected);
});

it('has nothing to offer where nothing is known', () => {
  expect(nearest('a', [])).toBeUndefined();
});
