import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Service } from './service.ts';

/** A shell that does this; it works once it has said so. */
function shell(script: string): { service: Service; folder: string; told: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'parley-service-'));
  mkdirSync(join(folder, 'log'));
  const told: string[] = [];
  const recipe = { name: 'shell', command: ['/bin/sh', '-c', script] as const, ready: /it works/ };
  const service = new Service(recipe, folder, (line) => told.push(line));
  onTestFinished(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });
  return { service, folder, told };
}

it('says why something does not start, by its last words and its log', async () => {
  const { service, folder } = shell('echo no such thing >&2; exit 3');
  await expect(service.start()).rejects.toThrow(
    `shell does not start:\n  | no such thing\n  (all of it: ${join(folder, 'log/shell.log')})`,
  );
});

it('tells once that something has died, and how', async () => {
  const { service, folder, told } = shell(
    'echo it works; echo a last word; until test -e die; do sleep 0.02; done; exit 4',
  );
  await service.start();
  writeFileSync(join(folder, 'die'), '');
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(told[0]).toMatch(/^shell \(process \d+\) has ended: code 4\. It starts again in 10 s\.$/);
  expect(told[1]).toContain('  | a last word');
});

it('stops what runs, which is not told, and starts nothing after that', async () => {
  const { service, folder, told } = shell('echo it works; exec sleep 60');
  await service.start();
  const file = join(folder, 'shell.pid');
  expect(readFileSync(file, 'utf8')).toBe(String(service.pid));
  await service.stop();
  expect(() => process.kill(service.pid, 0)).toThrow('ESRCH');
  expect([told, existsSync(file)]).toEqual([[], false]);
  await expect(service.start()).rejects.toThrow('shell was told to stop.');
});
