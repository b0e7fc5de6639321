import { expect, it } from 'vitest';
import { FaultSchedule } from './fault-schedule.ts';
import type { FaultKind } from './faults.ts';
import { Random } from './random.ts';

const kind = (name: string, more: Partial<FaultKind> = {}): FaultKind => ({
  name,
  weight: 1,
  run: async () => {},
  ...more,
});
const REDIS = kind('redis', { settle: 15_000 });
const KILL = kind('kill', { losesNode: true, weight: 2 });
const CUT = kind('cut');

const names = (schedule: FaultSchedule, count: number, now = 0) =>
  Array.from({ length: count }, () => schedule.next(now)?.name);

it('brings every kind as often as its weight says, in an order that the seed decides', () => {
  const round = (seed: number) => names(new FaultSchedule([REDIS, KILL, CUT], new Random(seed)), 4);
  expect(round(1).sort()).toEqual(['cut', 'kill', 'kill', 'redis']);
  expect(round(7)).toEqual(round(7));
  expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => String(round(seed)))).size).toBeGreaterThan(1);
});

it('loses no node while Redis settles', () => {
  const schedule = new FaultSchedule([KILL, CUT], new Random(1));
  schedule.over(REDIS, 1000);
  expect(names(schedule, 2, 15_999)).toEqual(['cut', undefined]);
  expect(names(schedule, 2, 16_000)).toEqual(['kill', 'kill']);
});
