// The long form of simulation.test.ts: more runs, from a seed that differs each time. It is part of the tests' names;
// SIMULATION_SEED sets it, and SIMULATION_RUNS how many runs each scenario has.
import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import { sabotages } from './sabotage.ts';
import { scenarios } from './scenario.ts';

const RUNS = Number(process.env.SIMULATION_RUNS ?? 10_000);
const first = Number(process.env.SIMULATION_SEED ?? Math.floor(Math.random() * 1e9));

it.each(scenarios)(
  `loses, repeats and reorders nothing from seed ${first} on: $name`,
  { timeout: 0 },
  async (scenario) => {
    const { violations, ...figures } = await runSeeds(scenario, first, RUNS);
    console.log(scenario.name, figures);
    expect(violations).toEqual([]);
  },
);

it.each(sabotages)(`notices from seed ${first} on: $name`, { timeout: 0 }, async ({ scenario, begin }) => {
  const mend = begin();
  try {
    expect((await runSeeds(scenario, first, RUNS, 1)).violations).toHaveLength(1);
  } finally {
    mend();
  }
});
