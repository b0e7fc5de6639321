import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbedded } from './open-embedded.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'parley-scrub-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const holds = (directory: string, text: string) =>
  readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'latin1').includes(text));

it('leaves nothing in the file of what was removed, and all of the rest', async () => {
  const directory = folder();
  const { keyspace, disk } = await openEmbedded(directory, {});
  const key = (n: number) => `k:{p1}:${n}`;
  for (let n = 0; n < 300; n++)
    await keyspace.set(key(n), `${n % 2 ? 'kept' : 'A-SECRET'} ${n} ${'x'.repeat((n * 37) % 6000)}`);
  disk?.snapshot(); // some of it is in the log alone, and some is stored
  for (let n = 300; n < 350; n++) await keyspace.set(key(n), `A-SECRET ${n}`);
  expect(holds(directory, 'A-SECRET').length).toBeGreaterThan(0);
  await keyspace.del(...Array.from({ length: 350 }, (_, n) => key(n)).filter((_, n) => n >= 300 || n % 2 === 0));
  const writing = keyspace.set(key(1000), 'meanwhile');
  await keyspace.onDisk?.scrub();
  await writing;
  expect(holds(directory, 'A-SECRET')).toEqual([]);
  await keyspace.onDisk?.scrub(); // with nothing to do
  await keyspace.close();
  expect(holds(directory, 'A-SECRET')).toEqual([]);

  const again = await openEmbedded(directory, {});
  expect(again.keyspace.size).toBe(151);
  expect(String(await again.keyspace.get(key(299)))).toMatch(/^kept 299 x/);
  expect(String(await again.keyspace.get(key(1000)))).toBe('meanwhile');
  await again.keyspace.close();
});

it('waits for a snapshot that runs, and takes another one of what came since', async () => {
  const directory = folder();
  const { keyspace, disk } = await openEmbedded(directory, {});
  for (let n = 0; n < 50; n++) void keyspace.set(`k:{p1}:${n}`, `B-SECRET ${'y'.repeat(20_000)}`);
  await keyspace.set('k:{p1}:50', 'B-SECRET');
  disk?.snapshot();
  await new Promise(setImmediate);
  await keyspace.del(...Array.from({ length: 51 }, (_, n) => `k:{p1}:${n}`));
  await Promise.all([keyspace.onDisk?.scrub(), keyspace.onDisk?.scrub()]);
  expect(holds(directory, 'B-SECRET')).toEqual([]);
  await keyspace.close();
});
