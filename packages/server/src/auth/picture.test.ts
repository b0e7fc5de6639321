import { expect, test } from 'vitest';
import { photoBytes, photoElement, pictureOf, pictureType } from './picture.ts';

test.each([
  ['ffd8ffe000104a464946', 'image/jpeg'],
  ['89504e470d0a1a0a0000', 'image/png'],
  ['474946383961', 'image/gif'],
  ['524946460000000057454250', 'image/webp'],
  ['3c7376673e', undefined],
  ['ffd8', undefined],
  ['', undefined],
])('what begins with %s is %s', (start, type) => {
  expect(pictureType(Buffer.from(start, 'hex'))).toBe(type);
});

test('a picture comes back out of a vCard', () => {
  const bytes = Buffer.from('ffd8ffe000104a464946', 'hex');
  const picture = pictureOf(bytes);
  expect(picture?.hash).toMatch(/^[0-9a-f]{40}$/);
  expect(picture && photoBytes(photoElement(picture))).toEqual(bytes);
  expect(pictureOf(Buffer.from('<svg>'))).toBeUndefined();
});
