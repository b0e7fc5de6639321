// The long form of sabotage.test.ts: whether each rule that is broken shows anywhere, from a seed that differs each time.
import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import { sabotages } from './sabotage.ts';

const MOST = 10_000;
const first = Number(process.env.SIMULATION_SEED ?? Math.floor(Math.random() * 1e9));

it.each(sabotages)(`notices from seed ${first} on: $name`, { timeout: 0 }, async ({ scenario, begin }) => {
  const mend = begin();
  try {
    expect((await runSeeds(scenario, first, MOST, { told: 1 })).violations).toHaveLength(1);
  } finally {
    mend();
  }
});
