import { type Rule, rulesWithout } from './rules.ts';
import type { Scenario } from './scenario.ts';
import { Schedule } from './schedule.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** What must not have been; empty: all is well. */
  readonly violations: readonly string[];
  /** Messages that were acknowledged to their senders. */
  readonly acknowledged: number;
}

export interface RunOptions {
  readonly without?: readonly Rule[];
  readonly trace?: (line: string) => void;
}

/** How many events a world may take to come to rest. */
const PATIENCE = 20_000;

/** One run: things happen and go wrong as the seed has it, then the faults end, and all must come out right. */
export function simulate(seed: number, scenario: Scenario, { without = [], trace }: RunOptions = {}): Outcome {
  const world = new World(seed, scenario, rulesWithout(...without), trace);
  const { violations } = world.ledger;
  const schedule = new Schedule();
  const step = () => {
    if (world.now % 50 === 49) world.tidy();
    schedule.clear();
    world.offer(schedule);
    schedule.happen(world.random);
    world.now++;
  };
  while (world.now < scenario.steps && violations.length === 0) step();
  world.healing = true;
  const end = world.now + PATIENCE;
  while (violations.length === 0 && (world.now % 20 !== 0 || world.unrest.length > 0)) {
    if (world.now === end) violations.push(`STUCK ${world.unrest.join(', ')}`);
    step();
  }
  if (violations.length === 0) {
    world.ledger.audit(world.devices.flatMap(({ session }) => session ?? []));
    for (const orphan of world.orphans) violations.push(`LEAK ${orphan}`);
  }
  return { seed, violations, acknowledged: world.ledger.acknowledged };
}
