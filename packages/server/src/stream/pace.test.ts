import { expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** A pace that hears every 20 ms how late its timer is. */
function start() {
  const pace = new Pace();
  let now = 1000;
  /** @returns the share once so many milliseconds have gone by */
  const run = (milliseconds: number, late = 0) => {
    for (const end = now + milliseconds; now < end; ) {
      now += 20 + late;
      pace.tick(now, late);
    }
    return pace.share(now);
  };
  const rest = (milliseconds: number) => {
    now += milliseconds;
    return pace.share(now);
  };
  return { run, rest };
}

it('begins with a part of what may be let in, and comes to all of it where the event loop is on time', () => {
  const { run, rest } = start();
  const first = rest(0);
  expect(first).toBeLessThan(0.5);
  const soon = run(500, 1);
  expect([soon > first, soon < 1, run(10_000, 1)]).toEqual([true, true, 1]);
});

it('is less each time that the event loop is found late, and never less than it began with', () => {
  const { run, rest } = start();
  const least = rest(0);
  const full = run(10_000);
  const less = run(150, 10);
  expect([less < full, run(150, 10) < less, run(5000, 10), run(1000, 500)]).toEqual([true, true, least, least]);
});

it('shrinks faster than it grows', () => {
  const { run } = start();
  const full = run(10_000);
  const low = run(300, 30);
  expect(run(300)).toBeLessThan((full + low) / 2);
});

it('heeds no single moment in which the event loop was late for a little', () => {
  const { run } = start();
  run(10_000);
  run(20, 10);
  expect(run(200)).toBe(1);
});

it('begins anew after a while in which nobody waited', () => {
  const { run, rest } = start();
  const first = rest(0);
  run(10_000);
  expect(rest(500)).toBe(1);
  expect(rest(1000)).toBe(first);
  expect(run(100)).toBeLessThan(0.5);
});
