import { type Scenario, scenarioNamed } from './scenario.ts';
import { simulate } from './simulation.ts';

/** How many violating runs are told of. */
const TOLD = 5;

export interface Runs {
  readonly acknowledged: number;
  /** Each with the seed and what to type to see it again. */
  readonly violations: readonly string[];
}

/** Runs a scenario with each seed of a range. */
export function runSeeds(scenario: Scenario, first: number, count: number): Runs {
  const violations: string[] = [];
  let acknowledged = 0;
  for (let seed = first; seed < first + count && violations.length < TOLD; seed++) {
    const outcome = simulate(seed, scenario);
    acknowledged += outcome.acknowledged;
    const [violation] = outcome.violations;
    if (violation !== undefined) violations.push(`seed ${seed}: ${violation} (${commandFor(scenario, seed)})`);
  }
  return { acknowledged, violations };
}

const commandFor = ({ name }: Scenario, seed: number) =>
  `SIM_SCENARIO='${name}' SIM_SEED=${seed} vitest run tests/simulation/simulation.test.ts`;

/** The run that the environment asks for. */
export function askedFor(): { scenario: Scenario; seed: number } | undefined {
  const { SIM_SCENARIO, SIM_SEED } = process.env;
  if (SIM_SCENARIO === undefined || SIM_SEED === undefined) return undefined;
  return { scenario: scenarioNamed(SIM_SCENARIO), seed: Number(SIM_SEED) };
}

/** Writes every event of a run. @returns its violations */
export function tellRun(scenario: Scenario, seed: number): readonly string[] {
  return simulate(seed, scenario, { trace: (line) => process.stdout.write(`${line}\n`) }).violations;
}
