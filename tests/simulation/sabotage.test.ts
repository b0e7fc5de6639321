// Whether the simulation would notice: each rule of the server that is broken must show, where the rule alone is what
// keeps that from happening.
import { expect, it } from 'vitest';
import { sabotages } from './sabotage.ts';
import { simulate } from './simulation.ts';

/** Where a change of the server makes other things happen with the recorded seed, one of so many that follow it must do. */
const NEAR = 60;

it.each(sabotages)('notices: $name', async ({ name, scenario, seed: recorded, begin }) => {
  const mend = begin();
  let seed = recorded;
  try {
    while (seed < recorded + NEAR && (await simulate(seed, scenario)).violations.length === 0) seed++;
  } finally {
    mend();
  }
  if (seed !== recorded) process.stdout.write(`${name}: shows with seed ${seed}, no longer with ${recorded}\n`);
  expect(seed).toBeLessThan(recorded + NEAR);
  expect((await simulate(seed, scenario)).violations).toEqual([]);
});
