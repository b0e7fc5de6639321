import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FileSink } from './file-sink.ts';

let directory: string;
let file: string;
let sink: FileSink | undefined;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-audit-'));
  file = join(directory, 'audit.log');
});
afterEach(() => {
  sink?.close();
  rmSync(directory, { recursive: true });
});

const open = () => {
  sink = new FileSink(file);
  return sink;
};
const send = (to: FileSink, ...lines: string[]) =>
  new Promise<number>((resolve, reject) => {
    to.send(
      lines.map((line) => Buffer.from(line)),
      (error, bytes) => (error ? reject(error) : resolve(bytes)),
    );
  });
const text = (path = file) => readFileSync(path, 'utf8');

it('makes a file that nobody else can read, and adds to one that is there', async () => {
  const first = open();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await send(first, 'a\n', 'b\n')).toBe(4);
  first.close();
  await send(open(), 'c\n');
  expect(text()).toBe('a\nb\nc\n');
});

it('adds behind what others have added meanwhile', async () => {
  const made = open();
  await send(made, 'a\n');
  appendFileSync(file, 'of another process\n');
  await send(made, 'b\n');
  expect(text()).toBe('a\nof another process\nb\n');
});

it('ends a line that was left unfinished', async () => {
  writeFileSync(file, '{"time":');
  await send(open(), 'a\n');
  expect(text()).toBe('{"time":\na\n');
});

it('makes the file anew when it was moved away, and it is told', async () => {
  const made = open();
  await send(made, 'a\n');
  renameSync(file, `${file}.1`);
  await send(made, 'b\n');
  made.reopen();
  await send(made, 'c\n');
  expect([text(`${file}.1`), text()]).toEqual(['a\nb\n', 'c\n']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('sees by itself that the file was moved away', async () => {
  const made = open();
  renameSync(file, `${file}.1`);
  await vi.waitFor(
    async () => {
      await send(made, 'x\n');
      expect(text()).toContain('x\n');
    },
    { interval: 100 },
  );
});

it('goes on in the old file until there can be a new one', async () => {
  const made = open();
  renameSync(directory, `${directory}-moved`);
  made.reopen();
  await expect(send(made, 'a\n')).rejects.toThrow('ENOENT');
  renameSync(`${directory}-moved`, directory);
  await send(made, 'a\n');
  expect(text()).toBe('a\n');
});

it('writes at once when the process dies', () => {
  open().sendAtOnce([Buffer.from('a\n'), Buffer.from('b\n')]);
  expect(text()).toBe('a\nb\n');
});

it('cannot be opened where there is no folder, or a pipe that nobody reads', () => {
  expect(() => new FileSink(join(directory, 'none', 'audit.log'))).toThrow('ENOENT');
  expect(() => new FileSink(directory)).toThrow('EISDIR');
});
