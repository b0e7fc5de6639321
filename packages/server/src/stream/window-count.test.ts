import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WindowCount } from './window-count.ts';

test('counts by key until the window is over', () => {
  const count = new WindowCount();
  expect(count.of('a', 0)).toBe(0);
  expect(count.add('a', 100, 0)).toBe(1);
  expect(count.add('a', 100, 99)).toBe(2);
  expect(count.add('b', 100, 99)).toBe(1);
  expect(count.of('a', 99)).toBe(2);
  expect(count.of('a', 100)).toBe(0); // the window began with the first
  expect(count.add('a', 100, 100)).toBe(1);
  expect(count.of('b', 100)).toBe(1);
});

test('what is deleted begins anew', () => {
  const count = new WindowCount();
  count.add('a', 100, 0);
  count.delete('a');
  expect(count.of('a', 1)).toBe(0);
});

test('what is over is forgotten when something new comes', () => {
  const count = new WindowCount();
  for (let i = 0; i < 50; i++) count.add(`key ${i}`, 100, i);
  count.add('later', 100, 1000);
  expect(count.size).toBe(1);
});

test('never holds more than it may, and forgets the oldest first', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(50)), { maxLength: 200 }), (steps) => {
      const count = new WindowCount(10);
      let now = 0;
      for (const [key, passed] of steps) {
        now += passed;
        const before = count.of(String(key), now);
        expect(count.add(String(key), 100, now)).toBe(before + 1);
        expect(count.size).toBeLessThanOrEqual(10);
      }
    }),
  );
});
