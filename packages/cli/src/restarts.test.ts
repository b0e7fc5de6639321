import { expect, it } from 'vitest';
import { Failed } from './exit.ts';
import { Restarts } from './restarts.ts';

it('lets a server start anew five times within a minute, and no more', () => {
  const restarts = new Restarts();
  for (const second of [0, 10, 20, 30, 40]) restarts.count(second * 1000);
  expect(() => restarts.count(59_000)).toThrow(Failed);
});

it('does not mind what was longer ago', () => {
  const restarts = new Restarts();
  for (let second = 0; second < 3600; second += 15) restarts.count(second * 1000);
});
