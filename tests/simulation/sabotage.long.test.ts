// The long form of sabotage.test.ts: how often each rule that is broken shows, from a seed that differs each time. One that
// does seldom needs a plot that leads closer to it.
import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import { sabotages } from './sabotage.ts';

const RUNS = 300;
const first = Number(process.env.SIMULATION_SEED ?? Math.floor(Math.random() * 1e9));

it.each(sabotages)(`shows from seed ${first} on: $name`, { timeout: 0 }, async ({ name, scenario, begin }) => {
  const mend = begin();
  try {
    const { violations, runs } = await runSeeds(scenario, first, RUNS, { told: 10 });
    process.stdout.write(`${name}: ${violations.length} of ${runs} runs\n`);
    expect(violations.length).toBeGreaterThan(0);
  } finally {
    mend();
  }
});
