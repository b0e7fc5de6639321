// The long form of simulation.test.ts, `npm run simulate`: 12,000 runs in all, from a seed that differs each time.
// SIMULATION_SEED sets it, SIMULATION_RUNS how many there are, SIMULATION_SCENARIO which scenario (or plot) has all of them, and
// SIMULATION_SHIFT shifts the order of what happens in each (see simulation.test.ts).
import { afterAll, expect, it } from 'vitest';
import { scenarioNamed, scenarios } from './scenario.ts';
import { SeedsProcesses } from './seeds-processes.ts';

const { SIMULATION_RUNS, SIMULATION_SEED, SIMULATION_SCENARIO } = process.env;
const wanted = SIMULATION_SCENARIO === undefined ? scenarios : [scenarioNamed(SIMULATION_SCENARIO)];
const count = Math.ceil(Number(SIMULATION_RUNS ?? 12_000) / wanted.length);
const first = Number(SIMULATION_SEED ?? Math.floor(Math.random() * 1e9));
const tell = (line: string) => void process.stdout.write(line);
const processes = new SeedsProcesses();
afterAll(() => processes[Symbol.dispose]());

it.each(wanted)(
  `loses, repeats and reorders nothing from seed ${first} on: $name`,
  { timeout: 0 },
  async (scenario) => {
    const { violations, ...figures } = await processes.run(scenario, first, count, tell);
    console.log(scenario.name, figures);
    expect(violations).toEqual([]);
  },
);
