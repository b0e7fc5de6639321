import { expect, it } from 'vitest';
import { MadeBefore } from './made-before.ts';

it('makes nothing twice of the same parts', () => {
  const made = new MadeBefore<object>();
  const part = {};
  const first = made.of([part, 'a'], () => ({}));
  expect(made.of([part, 'a'], () => ({}))).toBe(first);
  expect(made.of([{}, 'a'], () => ({}))).not.toBe(first);
  expect(made.of([part], () => ({}))).not.toBe(first);
  expect(made.of([part, 'a', undefined], () => ({}))).not.toBe(first);
});

it('keeps few', () => {
  const made = new MadeBefore<number>();
  for (let i = 0; i < 20; i++) made.of([i], () => i);
  expect(made.of([19], () => -1)).toBe(19);
  expect(made.of([0], () => -1)).toBe(-1);
});
