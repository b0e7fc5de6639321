// What counting and tracing cost a message:
//
//     npm run --silent bench:pipeline -- [--rounds N] [--generations N]
//
// Processes have a node each, in memory, without sockets. In each round each of them, one after the other, brings 25,000
// messages from one client to another, from the bytes of the one to the bytes of the other. One counts as always; one
// counts as always and then nothing, since no two processes are as alike as that one is to itself; one has a collector of
// OpenTelemetry, but no traces; and one traces one stanza of a hundred and gives the collector what it records. There are
// several generations of them, since two processes of the same program differ as well. Prints the processor's time for a
// message, and how much more one costs than another in the same round: medians, and the middle half. That difference is
// smaller than its spread for counting, so that is measured by itself as well (bench-counting.ts).
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countingRounds } from './bench-counting.ts';
import type { Measure, Measured, Order, Variant } from './bench-pipeline-process.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, generations: { type: 'string', default: '12' } },
});
const ROUNDS = Number(values.rounds);
const GENERATIONS = Number(values.generations);
const VARIANTS = ['switched', 'counted', 'ready', 'traced'] as const satisfies Variant[];

/** What is measured of which of them, and what it is called. */
const ROWS: readonly (readonly [variant: Variant, measure: Measure, title: string])[] = [
  ['switched', 'uncounted', 'nothing counted'],
  ['switched', 'counted', 'counted, in the same process'],
  ['counted', 'counted', 'counted, in one of its own'],
  ['ready', 'counted', 'OpenTelemetry loaded, no traces'],
  ['traced', 'counted', '1 % traced and exported'],
];

/** Takes whatever it is given. */
async function collector(): Promise<{ endpoint: string; close(): void }> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, close: () => server.close().closeAllConnections() };
}

const child = (): ChildProcess =>
  fork(new URL('./bench-pipeline-process.ts', import.meta.url), [], { execArgv: ['--disable-proto=delete'] });

async function ask(process: ChildProcess, what: object | string): Promise<unknown> {
  const answer = once(process, 'message');
  process.send(what);
  return Promise.race([
    answer.then(([said]) => said),
    once(process, 'exit').then(() => Promise.reject(new Error('It ended.'))),
  ]);
}

const quantile = (numbers: readonly number[], share: number): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(at)] as number, sorted[Math.ceil(at)] as number];
  return low + (high - low) * (at - Math.floor(at));
};

const spread = (numbers: readonly number[], text: (value: number) => string): string =>
  `${text(quantile(numbers, 0.5)).padStart(9)}   (${text(quantile(numbers, 0.25))} … ${text(quantile(numbers, 0.75))})`;

const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const sink = await collector();
const measured: number[][] = ROWS.map(() => []);
for (let generation = 0; generation < GENERATIONS; generation++) {
  const processes = new Map<Variant, ChildProcess>();
  for (const variant of VARIANTS) {
    const process = child();
    processes.set(variant, process);
    const order: Order = { variant, endpoint: sink.endpoint, folder: join(folder, variant) };
    await ask(process, order);
  }
  for (let round = 0; round < ROUNDS; round++) {
    // who comes first is another one each time
    for (let turn = 0; turn < ROWS.length; turn++) {
      const row = (turn + round) % ROWS.length;
      const [variant, measure] = ROWS[row] as (typeof ROWS)[number];
      const { nanoseconds } = (await ask(processes.get(variant) as ChildProcess, measure)) as Measured;
      measured[row]?.push(nanoseconds);
    }
  }
  for (const process of processes.values()) process.disconnect();
  process.stderr.write(`generation ${generation + 1} of ${GENERATIONS}\n`);
}
sink.close();
rmSync(folder, { recursive: true, force: true });

const rounds = ROUNDS * GENERATIONS;
console.log(`\nNanoseconds of the processor for one message, medians of ${rounds} rounds (and their middle half):\n`);
for (const [row, [, , title]] of ROWS.entries()) {
  console.log(`  ${title.padEnd(36)}${spread(measured[row] as number[], (value) => value.toFixed(0))}`);
}
/** Rows that are compared. */
const COMPARED = [
  ['counting', 1, 0],
  ['OpenTelemetry loaded, no traces', 3, 2],
  ['tracing 1 %', 4, 2],
] as const;
console.log('\nMore than the other in the same round:\n');
for (const [title, more, less] of COMPARED) {
  const shares = measured[more]?.map((value, round) => (value / (measured[less]?.[round] as number) - 1) * 100) ?? [];
  console.log(`  ${title.padEnd(36)}${spread(shares, (value) => `${value.toFixed(2)} %`)}`);
}
const counting = countingRounds();
console.log(`\nNanoseconds for what is counted of a message, by itself, medians of ${counting.length} rounds:\n`);
console.log(`  ${'counting'.padEnd(36)}${spread(counting, (value) => value.toFixed(1))}`);
