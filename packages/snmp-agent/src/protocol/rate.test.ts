import { expect, it } from 'vitest';
import { Rate } from './rate.ts';

it('lets so many through from each address, and forgets those that rest', () => {
  let now = 0;
  const rate = new Rate(2, () => now);
  expect([1, 2, 3].map(() => rate.take('a'))).toEqual([true, true, false]);
  expect(rate.take('b')).toBe(true);
  now = 500;
  expect([rate.take('a'), rate.take('a')]).toEqual([true, false]);
  for (let i = 0; i < 5000; i++) rate.take(`c${i}`);
  expect(rate.take('another')).toBe(false); // it shares with all that have no place of their own
  now = 5000;
  expect(rate.take('another')).toBe(true);
});
