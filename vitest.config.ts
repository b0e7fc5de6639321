import { defineConfig } from 'vitest/config';

const everywhere = ['packages/*/src', 'tests', 'scripts'];
const long = process.env.PARLEY_TESTS === 'long';

export default defineConfig({
  test: {
    // The long forms (soak runs, 100 000 property runs) are a set of their own: `npm run test:long`.
    include: everywhere.map((folder) => `${folder}/**/*${long ? '.long' : ''}.test.ts`),
    exclude: long ? ['**/node_modules/**'] : ['**/node_modules/**', '**/*.long.test.ts'],
    globals: false,
    environment: 'node',
    pool: 'forks',
    testTimeout: long ? 600_000 : 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    restoreMocks: true,
    unstubEnvs: true,
    // A suite that finds no file must not pass for one that passed; a long set may still be empty.
    passWithNoTests: long,
    allowOnly: false,
  },
});
