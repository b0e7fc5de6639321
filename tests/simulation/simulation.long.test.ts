// The long form of simulation.test.ts: more runs, from a seed that differs each time. It is part of the tests' names, and
// SIM_SEED sets it.
import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import { failing, steady } from './scenario.ts';

const RUNS = 50_000;
const first = Number(process.env.SIM_SEED ?? Math.floor(Math.random() * 1e9));

it.each([...steady, ...failing])(`loses, repeats and reorders nothing from seed ${first} on: $name`, (scenario) => {
  expect(runSeeds(scenario, first, RUNS).violations).toEqual([]);
});
