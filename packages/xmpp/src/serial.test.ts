import fc from 'fast-check';
import { expect, it } from 'vitest';
import { serialAdd, serialDistance } from './serial.ts';

it('counts on over the end of 32 bits', () => {
  expect(serialAdd(0xffffffff, 1)).toBe(0);
  expect(serialDistance(0, 0xffffffff)).toBe(1);
  expect(serialDistance(0xffffffff, 0)).toBe(-1);
});

it('is undone by subtraction, wherever it begins', () => {
  const number = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(number, fc.integer({ min: -1e9, max: 1e9 }), (from, steps) => {
      expect(serialDistance(serialAdd(from, steps), from)).toBe(steps);
    }),
  );
});
