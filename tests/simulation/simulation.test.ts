// The server itself, several nodes of it where that is asked for, on a keyspace and on connections that do only what a
// seed has them do, and on a clock that the same seed moves. Its clients do and suffer everything that can happen.
//
//     SIMULATION_SCENARIO=household SIMULATION_SEED=42 vitest run tests/simulation/simulation.test.ts
//
// repeats one run and writes every event of it. The seeds of this file are always the same; those of the long form
// (simulation.long.test.ts: `npm run simulate`) begin at SIMULATION_SEED, or anywhere. Each run is told of by its seed.
import { expect, it } from 'vitest';
import { askedFor, runSeeds, tellRun } from './runs.ts';
import { scenarios } from './scenario.ts';
import { simulate } from './simulation.ts';

const asked = askedFor();
const tell = (line: string) => void process.stdout.write(line);

if (asked === undefined) {
  it.each(scenarios)('loses, repeats and reorders nothing: $name', { timeout: 60_000 }, async (scenario) => {
    const { violations, acknowledged, counts } = await runSeeds(scenario, 1, scenario.runs, { tell });
    expect(violations).toEqual([]);
    expect(acknowledged).toBeGreaterThan(50 * scenario.runs);
    for (const fault of ['kill', 'lose link', 'pause', 'cut', 'stop']) expect(counts.get(fault)).toBeGreaterThan(0);
  });

  it.each(scenarios)('is the same for the same seed: $name', async (scenario) => {
    const digests = [];
    for (const seed of [7, 8, 7]) digests.push((await simulate(seed, scenario)).digest);
    expect(digests[2]).toBe(digests[0]);
    expect(digests[1]).not.toBe(digests[0]);
  });
} else {
  it(`repeats ${asked.scenario.name}, seed ${asked.seed}`, async () => {
    expect(await tellRun(asked.scenario, asked.seed)).toEqual([]);
  });
}
