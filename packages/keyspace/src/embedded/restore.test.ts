import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbedded } from './open-embedded.ts';
import { BEFORE, RestoreFolder } from './restore.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'parley-restore-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Puts these values into the keyspace of a directory, and answers a copy of it that was made meanwhile. */
async function filled(directory: string, words: string, count: number): Promise<string> {
  const { keyspace } = await openEmbedded(directory, {});
  for (let n = 0; n < count; n++) await keyspace.set(`k:{p1}:${n}`, `${words} ${n}`);
  const copy = join(directory, 'copy');
  await keyspace.onDisk?.copyTo(copy);
  await keyspace.set('k:{p1}:later', words);
  await keyspace.close();
  return copy;
}

async function read(directory: string, key: string): Promise<string | undefined> {
  const { keyspace } = await openEmbedded(directory, {});
  const value = await keyspace.get(`k:{p1}:${key}`);
  await keyspace.close();
  return value?.toString();
}

it('has what was there when it was copied, and keeps what was there before', async () => {
  const [old, other] = [folder(), folder()];
  await filled(old, 'old', 10);
  const copy = await filled(other, 'new', 10);
  using place = new RestoreFolder(old);
  copyFileSync(copy, place.file);
  expect(place.replace()).toBe(true);
  expect([await read(old, '3'), await read(old, 'later')]).toEqual(['new 3', undefined]);
  const third = folder();
  copyFileSync(join(old, BEFORE), join(third, 'keyspace.sqlite'));
  expect([await read(third, '3'), await read(third, 'later')]).toEqual(['old 3', 'old']);
});

it('is the node’s where root restores it, whether there was something before or not', async () => {
  if (process.getuid?.() !== 0) return; // only root may give files away
  const copy = await filled(folder(), 'new', 1);
  for (const there of [true, false]) {
    const directory = folder();
    if (there) await filled(directory, 'old', 1);
    for (const name of ['.', ...readdirSync(directory)]) chownSync(join(directory, name), 10_001, 10_002);
    using place = new RestoreFolder(directory);
    copyFileSync(copy, place.file);
    expect(place.replace()).toBe(there);
    const { uid, gid } = statSync(join(directory, 'keyspace.sqlite'));
    expect({ uid, gid }).toEqual({ uid: 10_001, gid: 10_002 });
  }
});

it('refuses what is no keyspace, or is damaged', async () => {
  const old = folder();
  await filled(old, 'old', 1);
  using place = new RestoreFolder(old);
  expect(() => place.replace()).toThrow('There is nothing to be restored.');
  copyFileSync(import.meta.filename, place.file);
  expect(() => place.replace()).toThrow(/damaged/);
  expect(await read(old, '0')).toBe('old 0');
});

it('leaves the old or the new wherever it is cut off', async () => {
  const other = folder();
  const copy = await filled(other, 'new', 2000);
  for (let delay = 0; delay < 5; delay++) {
    const old = folder();
    await filled(old, 'old', 100);
    const child = fork(new URL('../testing/restoring.ts', import.meta.url), [old, copy], { execArgv: [] });
    await once(child, 'message');
    // from before its first step to behind its last one
    const timer = setTimeout(() => child.kill('SIGKILL'), delay * 10);
    await once(child, 'exit');
    clearTimeout(timer);
    const value = await read(old, '3');
    expect(['old 3', 'new 3']).toContain(value);
    expect(await read(old, 'later')).toBe(value === 'old 3' ? 'old' : undefined);
    expect(existsSync(join(old, 'keyspace.sqlite'))).toBe(true);
  }
});
