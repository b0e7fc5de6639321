import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

it('counts a value in the first bucket whose bound is not less', () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 5, 5.1, 1e9]) histogram.record(value);
  expect(histogram.counts).toEqual([2, 2, 1, 2]);
  expect(histogram.sum).toBe(0 + 1 + 1.5 + 2 + 5 + 5.1 + 1e9);
});

it('leaves out what is no number', () => {
  const histogram = new Histogram([1]);
  histogram.record(Number.NaN);
  expect(histogram.counts).toEqual([0, 0]);
  expect(histogram.sum).toBe(0);
});

it('loses no value', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const histogram = new Histogram([-100, 0, 7, 1e6]);
      for (const value of values) histogram.record(value);
      expect(histogram.counts.reduce((sum, count) => sum + count)).toBe(values.length);
      expect(histogram.sum).toBe(values.reduce((sum, value) => sum + value, 0));
    }),
  );
});
