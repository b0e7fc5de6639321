import { afterAll, expect, test } from 'vitest';
import { readCorpus, writeCorpus } from './corpus.ts';
import { Coverage } from './coverage.ts';
import { Fuzzer, type Target } from './fuzz.ts';
import { Random } from './random.ts';

const long = process.env.PARLEY_TESTS === 'long';
const INPUTS = 1000;
/** Of each target, in the long form: all together an hour. Milliseconds. */
const LONG = Number(process.env.PARLEY_FUZZ_SECONDS ?? 600) * 1000;

// PARLEY_KEEP_CORPUS=1 writes what reached something new to the corpus; commit what is worth it.
// What is watched must be loaded behind this.
const coverage = Coverage.start();
afterAll(() => coverage[Symbol.dispose]());
const { form, jid, sasl, stream } = await import('./targets.ts');
const { nodeTarget } = await import('./node-target.ts');
const { startServer } = await import('../../support/server.ts');

const unlimited = { stanzas: { perSecond: 0 }, bytes: { perSecond: 0 }, logins: { delaySeconds: 0 } };
const server = () => startServer({ config: { limits: unlimited } });

const targets: [string, () => Target | Promise<Target>][] = [
  ['stream', () => stream],
  ['sasl', () => sasl],
  ['jid', () => jid],
  ['form', () => form],
  ['stranger', async () => nodeTarget(await server(), 'stranger')],
  ['session', async () => nodeTarget(await server(), 'mercutio@localhost')],
];

test.each(targets)(
  '%s',
  async (name, make) => {
    const seed = Date.now();
    const fuzzer = new Fuzzer(await make(), readCorpus(name), coverage, new Random(seed));
    coverage.reset();
    const end = performance.now() + LONG;
    await fuzzer.run((inputs) => (long ? performance.now() < end : inputs < INPUTS));
    if (process.env.PARLEY_KEEP_CORPUS) writeCorpus(name, fuzzer.corpus);
    expect(fuzzer.inputs).toBeGreaterThanOrEqual(INPUTS);
    expect(coverage.size).toBeGreaterThan(100);
  },
  2 * LONG,
);
