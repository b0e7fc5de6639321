// The server itself, several nodes of it where that is asked for, on a keyspace and on connections that do only what a
// seed has them do, and on a clock that the same seed moves. Its clients do and suffer everything that can happen.
//
//     SIMULATION_SCENARIO=household SIMULATION_SEED=42 vitest run tests/simulation/simulation.test.ts
//
// repeats one run and writes every event of it. The seeds of this file are always the same; those of the long form
// (simulation.long.test.ts: `npm run simulate`) begin at SIMULATION_SEED, or anywhere. What happens first, of all that may, hangs on
// whatever takes a timer or a random number; with SIMULATION_SHIFT each process has so many idle timers more, and every seed is
// another run.
import { afterAll, describe, expect, it } from 'vitest';
import { askedFor, tellRun } from './runs.ts';
import { scenarios } from './scenario.ts';
import { SeedsProcesses } from './seeds-processes.ts';
import { simulate } from './simulation.ts';

/** Of all scenarios together. */
const RUNS = 1500;

const asked = askedFor();
const tell = (line: string) => void process.stdout.write(line);

if (asked === undefined) {
  describe('many runs', () => {
    const processes = new SeedsProcesses();
    afterAll(() => processes[Symbol.dispose]());

    it.each(scenarios)('lose, repeat and reorder nothing: $name', { timeout: 600_000 }, async (scenario) => {
      const count = RUNS / scenarios.length;
      const { runs, violations, acknowledged, counts } = await processes.run(scenario, 1, count, tell);
      expect(violations).toEqual([]);
      expect(runs).toBe(count);
      expect(acknowledged).toBeGreaterThan(50 * count);
      for (const fault of ['kill', 'lose link', 'pause', 'cut', 'stop']) expect(counts.get(fault)).toBeGreaterThan(0);
    });
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
