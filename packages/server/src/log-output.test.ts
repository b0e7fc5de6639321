import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { LogOutput } from './log-output.ts';

let directory: string;
let file: string;
let descriptor: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-log-'));
  file = join(directory, 'log');
  descriptor = openSync(file, 'a');
});
afterEach(() => {
  closeSync(descriptor);
  rmSync(directory, { recursive: true });
});

const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'é'.repeat(20)}\n`);

it('writes every line in order, while the node goes on', async () => {
  const output = new LogOutput(descriptor);
  for (const line of lines) output.write(line);
  // Only the first write can be under way: the next ones wait for the event loop.
  expect(readFileSync(file, 'utf8').length).toBeLessThan(100);
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toBe(lines.join('')));
  expect(output.dropped).toBe(0);
});

it('writes what waits when it is flushed', async () => {
  const output = new LogOutput(descriptor);
  output.write('first\n');
  output.write('second\n');
  output.flush();
  // The first line is on its way already; the flush writes the rest.
  expect(readFileSync(file, 'utf8')).toContain('second\n');
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('first\n'));
});

it('keeps a bounded number of bytes and counts the lines that it drops', async () => {
  const output = new LogOutput(descriptor, 100);
  for (let i = 0; i < 50; i++) output.write(`${'x'.repeat(9)}\n`);
  expect(output.dropped).toBe(40);
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toHaveLength(100));
  output.write('y\n');
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toHaveLength(102));
});

it('outlives a full disk: nothing is thrown and a flush returns', async () => {
  // Left open: the output would go on trying, and write to whatever got the number next.
  const full = openSync('/dev/full', 'w');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const output = new LogOutput(full, 1000);
  for (let i = 0; i < 300; i++) output.write('0123456789\n');
  await vi.waitFor(() => {
    output.flush();
    expect(output.dropped).toBeGreaterThan(200);
  });
  // Its next try waits on a clock that stands still from now on: it troubles no test that comes later on this thread.
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));
});
