import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './tests/longest-first.ts';

// The long forms (soak runs, 100 000 property runs) are a set of their own: `npm run test:long`.
const long = process.env.PARLEY_TESTS === 'long';

const cores = availableParallelism();

// Node keeps here what it made of each file of code: the many programs that tests start take half the time to come up.
const NODE_COMPILE_CACHE = fileURLToPath(new URL('node_modules/.cache/node-compile', import.meta.url));

// For tests that mostly wait: for a program to come up, for an interval to pass. The long forms compute.
const waiting = long ? Math.max(1, cores - 1) : cores + 2;

type Settings = Pick<
  NonNullable<TestProjectInlineConfiguration['test']>,
  'pool' | 'isolate' | 'maxWorkers' | 'exclude' | 'env'
> & { groupOrder: number };

function project(name: string, include: string[], { groupOrder, exclude = [], env, ...settings }: Settings) {
  const form = long ? '**/*.long.test.ts' : '**/*.test.ts';
  const test: TestProjectInlineConfiguration['test'] = {
    name,
    include: include.map((path) => (path.endsWith('.test.ts') ? path : `${path}/${form}`)),
    exclude: ['**/node_modules/**', ...(long ? [] : ['**/*.long.test.ts']), ...exclude],
    // they only keep a test from hanging: none is about them
    testTimeout: long ? 600_000 : 180_000,
    hookTimeout: 180_000,
    setupFiles: ['tests/support/before-each-file.ts'],
    expect: { poll: { timeout: 60_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    sequence: { groupOrder },
    env: { NODE_COMPILE_CACHE, ...env },
    ...settings,
  };
  return { test };
}

// These take all cores themselves, break whole clusters under load, or say how long something takes.
const alone = [
  'tests/faults',
  'tests/demo/demo.test.ts',
  'tests/federation/two-clusters.test.ts',
  'tests/upgrade/rolling-upgrade.test.ts',
  'tests/monitoring/associations.test.ts',
  'tests/chaos',
  'tests/simulation/simulation.test.ts',
];

// Each group waits for the one before it.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // Nothing in the packages is global, so their tests share a thread for each core: three times as fast as one thread for
      // each file. They compute, and more of them would only wait for each other.
      project('unit', ['packages/*/src'], { groupOrder: 0, pool: 'threads', isolate: false, maxWorkers: cores }),
      // The protocol's stories once more on Redis, and on three nodes there; the next project tells them on the embedded
      // keyspace.
      project('redis', ['tests/stories'], {
        groupOrder: 1,
        pool: 'forks',
        isolate: true,
        maxWorkers: waiting,
        env: { PARLEY_TOPOLOGY: 'redis' },
      }),
      project('cluster', ['tests/stories'], {
        groupOrder: 1,
        pool: 'forks',
        isolate: true,
        maxWorkers: waiting,
        env: { PARLEY_TOPOLOGY: 'cluster' },
      }),
      // These start processes, take signals and set the environment.
      project('whole', ['tests', 'scripts'], {
        groupOrder: 1,
        pool: 'forks',
        isolate: true,
        maxWorkers: waiting,
        exclude: long ? [] : alone.map((path) => (path.endsWith('.test.ts') ? path : `${path}/**`)),
      }),
      ...(long ? [] : [project('alone', alone, { groupOrder: 2, pool: 'forks', isolate: true, maxWorkers: 1 })]),
    ],
    // A suite that finds no file must not pass for one that passed; a long set may still be empty.
    passWithNoTests: long,
    allowOnly: false,
  },
});
