// The server itself, several nodes of it where that is asked for, on a keyspace and on connections that do only what a
// seed has them do, and on a clock that the same seed moves. Its clients do and suffer everything that can happen.
//
//     SIMULATION_SCENARIO=household SIMULATION_SEED=42 vitest run tests/simulation/simulation.test.ts
//
// repeats one run and writes every event of it. The short form (short/*.test.ts) has seeds that are always the same; those
// of the long form (simulation.long.test.ts: `npm run simulate`) begin at SIMULATION_SEED, or anywhere.
import { expect, it } from 'vitest';
import { askedFor, runSeeds, tellRun } from './runs.ts';
import { household, scenarios } from './scenario.ts';
import { simulate } from './simulation.ts';

const asked = askedFor();

if (asked === undefined) {
  it('tells which runs there were', async () => {
    const lines: string[] = [];
    await runSeeds(household, 5, 5, { inOneLine: 2, tell: (line) => lines.push(line) });
    expect(lines.map((line) => line.replace(/\d+ ack/, 'N ack'))).toEqual(
      ['seeds 5 to 6', 'seeds 7 to 8', 'seed 9'].map((seeds) => `household, ${seeds}: N acknowledged, all is well\n`),
    );
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
