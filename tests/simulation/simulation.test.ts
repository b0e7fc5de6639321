// The protocol that a cluster is to speak, under everything that can go wrong, in an order that a seed decides.
//
//     SIM_SCENARIO='household, plain' SIM_SEED=42 vitest run tests/simulation/simulation.test.ts
//
// repeats one run and writes every event of it. The seeds of this file are always the same; those of
// simulation.long.test.ts begin at SIM_SEED, or anywhere.
import { expect, it } from 'vitest';
import { askedFor, runSeeds, tellRun } from './runs.ts';
import { failing, type Scenario, steady } from './scenario.ts';

const asked = askedFor();

/** Seeds of each scenario; conversations are quicker. */
const runsOf = ({ sessionsEnd, failover }: Scenario) => (sessionsEnd ? 300 : failover > 0 ? 750 : 1000);

function check(scenario: Scenario): void {
  const count = runsOf(scenario);
  const { violations, acknowledged } = runSeeds(scenario, 1, count);
  expect(violations, `seeds 1 to ${count}`).toEqual([]);
  expect(acknowledged).toBeGreaterThan(10 * count);
}

if (asked === undefined) {
  it.each(steady)('loses, repeats and reorders nothing: $name', check);
  it.each(failing)('loses, repeats and reorders nothing: $name', check);
} else {
  it(`repeats ${asked.scenario.name}, seed ${asked.seed}`, () => {
    expect(tellRun(asked.scenario, asked.seed)).toEqual([]);
  });
}
