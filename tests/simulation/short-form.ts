import { expect, it } from 'vitest';
import { runSeeds } from './runs.ts';
import type { Scenario } from './scenario.ts';

/** Of each scenario: 3,000 in all. */
const RUNS = 500;
const IN_ONE_LINE = 25;

/** The short form of a scenario, whose seeds are always the same. Each has a file of its own, so that several run at a time. */
export function simulates(scenario: Scenario): void {
  it(`loses, repeats and reorders nothing: ${scenario.name}`, { timeout: 600_000 }, async () => {
    const tell = (line: string) => void process.stdout.write(line);
    const { violations, acknowledged, counts } = await runSeeds(scenario, 1, RUNS, { tell, inOneLine: IN_ONE_LINE });
    expect(violations).toEqual([]);
    expect(acknowledged).toBeGreaterThan(50 * RUNS);
    for (const fault of ['kill', 'lose link', 'pause', 'cut', 'stop']) expect(counts.get(fault)).toBeGreaterThan(0);
  });
}
