import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { accountKey } from '../key.ts';
import { openKeyspace } from '../open.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** Lets a process write until it has acknowledged so many writes, and kills it. */
async function writeAndKill(directory: string, durability: string, writes: number): Promise<Map<string, number>> {
  const process_ = spawn(process.execPath, [child, directory, durability], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(process_, 'exit');
  const acknowledged = new Map<string, number>();
  let count = 0;
  for await (const line of createInterface({ input: process_.stdout })) {
    const [lane = '', number] = line.split(' ');
    acknowledged.set(lane, Number(number));
    count += 1;
    if (count === writes) process_.kill('SIGKILL');
  }
  const [, signal] = await ended;
  expect(signal).toBe('SIGKILL');
  return acknowledged;
}

/** Registers the test that kills a writing process so often. */
export function crash(kills: number): void {
  test.each(['process', 'power'])('durability %s: kill -9 loses nothing that was acknowledged', async (durability) => {
    const directory = mkdtempSync(join(tmpdir(), 'parley-crash-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    for (let kill = 0; kill < kills; kill += 1) {
      const acknowledged = await writeAndKill(directory, durability, 1 + Math.floor(Math.random() * 1500));
      const warnings: string[] = [];
      const observer = { warning: (message: string) => warnings.push(message) };
      const { keyspace } = await openKeyspace(`embedded:${directory}`, { observer });
      for (const [lane, number] of acknowledged) {
        const newest = Number(await keyspace.hget(accountKey('newest', 'crash'), lane));
        // What was not acknowledged may be there as well, but only as a whole: hash and list agree.
        expect(newest).toBeGreaterThanOrEqual(number);
        const last = await keyspace.lrange(accountKey('last', 'crash', lane), 0, -1);
        const first = Math.max(1, newest - 19);
        expect(last.map(Number)).toEqual(Array.from({ length: newest - first + 1 }, (_, index) => first + index));
      }
      expect(warnings).toEqual([]);
      await keyspace.close();
    }
  });
}
