import { type Scenario, scenarioNamed } from './scenario.ts';
import { simulate } from './simulation.ts';

/** How many violating runs are told of. */
export const TOLD = 5;

/** How all runs of this process are shifted, as the environment has it. */
const shift = Number(process.env.SIMULATION_SHIFT ?? 0);

export interface Runs {
  readonly runs: number;
  /** Messages that were acknowledged. */
  readonly acknowledged: number;
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
  /** Each with the seed and what to type to see it again. */
  readonly violations: readonly string[];
}

export interface RunsOptions {
  /** Ends early where so many runs violate something. */
  readonly told?: number;
}

/** Runs a scenario with each seed of a range. */
export async function runSeeds(
  scenario: Scenario,
  first: number,
  count: number,
  { told = TOLD }: RunsOptions = {},
): Promise<Runs> {
  const violations: string[] = [];
  const counts = new Map<string, number>();
  let acknowledged = 0;
  let runs = 0;
  for (let seed = first; seed < first + count && violations.length < told; seed++, runs++) {
    const outcome = await simulate(seed, scenario, { shift });
    acknowledged += outcome.acknowledged;
    for (const [what, times] of outcome.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    const [violation] = outcome.violations;
    if (violation !== undefined) violations.push(`seed ${seed}: ${violation} (${commandFor(scenario, seed)})`);
    await new Promise((turn) => setImmediate(turn)); // whoever waits for this process is not kept waiting for long
  }
  return { runs, acknowledged, counts, violations };
}

const commandFor = ({ name }: Scenario, seed: number) =>
  `${shift === 0 ? '' : `SIMULATION_SHIFT=${shift} `}SIMULATION_SCENARIO=${name} SIMULATION_SEED=${seed} vitest run tests/simulation/simulation.test.ts`;

/** The run that the environment asks for. */
export function askedFor(): { scenario: Scenario; seed: number } | undefined {
  const { SIMULATION_SCENARIO: name, SIMULATION_SEED: seed } = process.env;
  return name === undefined || seed === undefined ? undefined : { scenario: scenarioNamed(name), seed: Number(seed) };
}

/** Writes every event of a run. @returns its violations */
export async function tellRun(scenario: Scenario, seed: number): Promise<readonly string[]> {
  const { violations } = await simulate(seed, scenario, { shift, trace: (line) => process.stdout.write(`${line}\n`) });
  return violations;
}
