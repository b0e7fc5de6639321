import { expect, test } from 'vitest';
import { TextCache } from './text-cache.ts';

test('gives back what was set, and nothing else', () => {
  const cache = new TextCache<number>({ entries: 4, textLength: 10 });
  cache.set('a', 1);
  expect(cache.get('a')).toBe(1);
  expect(cache.get('b')).toBeUndefined();
});

test('never holds more than two generations', () => {
  const cache = new TextCache<number>({ entries: 4, textLength: 10 });
  for (let index = 0; index < 100; index++) cache.set(`key${index}`, index);
  expect(cache.size).toBeLessThanOrEqual(8);
  expect(cache.get('key99')).toBe(99);
  expect(cache.get('key0')).toBeUndefined();
});

test('what is asked for again stays', () => {
  const cache = new TextCache<number>({ entries: 4, textLength: 10 });
  cache.set('kept', 1);
  for (let index = 0; index < 100; index++) {
    cache.set(`key${index}`, index);
    expect(cache.get('kept')).toBe(1);
  }
  expect(cache.size).toBeLessThanOrEqual(8);
});

test('does not keep long texts', () => {
  const cache = new TextCache<number>({ entries: 4, textLength: 10 });
  cache.set('x'.repeat(11), 1);
  expect(cache.get('x'.repeat(11))).toBeUndefined();
  expect(cache.size).toBe(0);
});
