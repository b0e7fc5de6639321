import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

// The long forms (soak runs, 100 000 property runs) are a set of their own: `npm run test:long`.
const long = process.env.PARLEY_TESTS === 'long';

type Isolation = { pool: 'threads' | 'forks'; isolate: boolean };

function project(name: string, folders: string[], isolation: Isolation, env: Record<string, string> = {}) {
  const test: TestProjectInlineConfiguration['test'] = {
    name,
    include: folders.map((folder) => `${folder}/**/*${long ? '.long' : ''}.test.ts`),
    exclude: long ? ['**/node_modules/**'] : ['**/node_modules/**', '**/*.long.test.ts'],
    testTimeout: long ? 600_000 : 20_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    env,
    ...isolation,
  };
  return { test };
}

export default defineConfig({
  test: {
    projects: [
      // Nothing in the packages is global, so their tests share two threads: three times as fast as one of its own each.
      project('unit', ['packages/*/src'], { pool: 'threads', isolate: false }),
      // The protocol's stories once more on Redis, and on three nodes there; the last project tells them on the embedded
      // keyspace.
      project('redis', ['tests/stories'], { pool: 'forks', isolate: true }, { PARLEY_TOPOLOGY: 'redis' }),
      project('cluster', ['tests/stories'], { pool: 'forks', isolate: true }, { PARLEY_TOPOLOGY: 'cluster' }),
      // These start processes, take signals and set the environment.
      project('whole', ['tests', 'scripts'], { pool: 'forks', isolate: true }),
    ],
    // A suite that finds no file must not pass for one that passed; a long set may still be empty.
    passWithNoTests: long,
    allowOnly: false,
  },
});
