import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { type Runs, TOLD } from './runs.ts';
import type { Scenario } from './scenario.ts';

/** What one process is to run at a time. */
export interface Seeds {
  readonly scenario: string;
  readonly first: number;
  readonly count: number;
}

const AT_ONCE = 25;
const MOST_PROCESSES = 4;

/** Processes that run seeds, since tests have one core of a small machine, and the simulation nothing but its own. */
export class SeedsProcesses implements Disposable {
  readonly #processes: readonly ChildProcess[];

  constructor(count = Math.min(availableParallelism(), MOST_PROCESSES)) {
    const start = () =>
      fork(new URL('./seeds-process.ts', import.meta.url), { execArgv: [], serialization: 'advanced' });
    this.#processes = Array.from({ length: count }, start);
  }

  /** Runs a scenario with each seed of a range. `tell` hears of those that each process has done. */
  async run({ name }: Scenario, first: number, count: number, tell: (line: string) => void): Promise<Runs> {
    const end = first + count;
    const all: Runs[] = [];
    let [next, wrong] = [first, 0];
    const work = async (child: ChildProcess) => {
      while (next < end && wrong < TOLD) {
        const seeds = { scenario: name, first: next, count: Math.min(AT_ONCE, end - next) };
        next += seeds.count;
        const runs = await ask(child, seeds);
        all.push(runs);
        wrong += runs.violations.length;
        const what = runs.violations.length === 0 ? 'all is well' : runs.violations.join('; ');
        const last = seeds.first + seeds.count - 1;
        tell(`${name}, seeds ${seeds.first} to ${last}: ${runs.acknowledged} acknowledged, ${what}\n`);
      }
    };
    await Promise.all(this.#processes.map(work));
    return all.reduce(together);
  }

  [Symbol.dispose](): void {
    for (const child of this.#processes) child.kill();
  }
}

/** Rejects where the process ends instead. */
async function ask(child: ChildProcess, seeds: Seeds): Promise<Runs> {
  child.send(seeds);
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The process ended with ${code} on ${seeds.scenario} from seed ${seeds.first} on.`);
  });
  try {
    const [runs] = await Promise.race([once(child, 'message', { signal }), ended]);
    return runs as Runs;
  } finally {
    ended.catch(() => {});
    over.abort();
  }
}

function together(one: Runs, other: Runs): Runs {
  const counts = new Map(one.counts);
  for (const [what, times] of other.counts) counts.set(what, (counts.get(what) ?? 0) + times);
  return {
    runs: one.runs + other.runs,
    acknowledged: one.acknowledged + other.acknowledged,
    counts,
    violations: [...one.violations, ...other.violations],
  };
}
