import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { PartFile } from './part-file.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-part-'));
  file = join(folder, 'out.xml');
  return () => rmSync(folder, { recursive: true });
});

const ALL = 'an export of all domains';
const piece = (text: string, last?: string) => ({ text, accounts: last === undefined ? 0 : 1, server: 'ours', last });
const part = () => readFileSync(`${file}.part`, 'utf8');

/** One that has written Juliet, and some of who comes next. */
async function brokenOff(): Promise<void> {
  await using begun = await PartFile.open(file, ALL);
  await begun.add(piece('<user>é</user>\n', 'juliet@localhost'));
  await begun.add(piece('<user name='));
}

test('goes on behind the last whole account, and gives the file its name at the end', async () => {
  await brokenOff();
  // half of a character, at the end of what was written by half
  appendFileSync(`${file}.part`, Buffer.from('<user>é').subarray(0, -1));
  await using again = await PartFile.open(file, ALL);
  expect([again.last, again.accounts, again.bytes]).toEqual(['juliet@localhost', 1, 16]);
  expect(part()).toBe('<user>é</user>\n');
  await again.add(piece('<user/>\n', 'romeo@localhost'));
  await again.add(piece('</server-data>\n'));
  expect(existsSync(file)).toBe(false);
  await again.finish();
  expect(again.accounts).toBe(2);
  expect(readFileSync(file, 'utf8')).toBe('<user>é</user>\n<user/>\n</server-data>\n');
  expect([`${file}.part`, `${file}.part.json`].filter(existsSync)).toEqual([]);
});

test('what a killed process leaves is good up to what it has made sure of', async () => {
  await using killed = await PartFile.open(file, ALL); // ends after the test
  const much = 'x'.repeat(1_100_000);
  await killed.add(piece(much, 'juliet@localhost'));
  await killed.add(piece('<user/>\n', 'romeo@localhost')); // not so much that it were made sure of
  const mark = JSON.parse(readFileSync(`${file}.part.json`, 'utf8'));
  expect(mark).toMatchObject({ bytes: much.length, accounts: 1, last: 'juliet@localhost' });
  await using again = await PartFile.open(file, ALL);
  expect(again.last).toBe('juliet@localhost');
  expect(part().length).toBe(much.length);
});

test('leaves nothing where there is nothing to go on with', async () => {
  {
    await using begun = await PartFile.open(file, ALL);
    await begun.add(piece('<user name='));
  }
  expect([`${file}.part`, `${file}.part.json`].filter(existsSync)).toEqual([]);
});

test('begins anew where that is wanted, or where nobody knows what is there', async () => {
  for (const anew of [true, false]) {
    await brokenOff();
    if (!anew) writeFileSync(`${file}.part.json`, '{"of":');
    await using again = await PartFile.open(file, ALL, anew);
    expect([again.last, again.accounts, part()]).toEqual([undefined, 0, '']);
  }
});

test('begins anew where a process was killed when all was done but to forget it', async () => {
  await brokenOff();
  renameSync(`${file}.part`, file);
  await using again = await PartFile.open(file, ALL);
  expect([again.last, part()]).toEqual([undefined, '']);
});

/** What there was of an export is of something else, or has changed meanwhile. */
const others: Record<string, { of?: string; change?(): void; server?: string; says: RegExp }> = {
  'of something else': {
    of: 'an export of the domain a.lit',
    says: /is a part of an export of all domains, and this would be an export of the domain a\.lit\./,
  },
  'of another server': { server: 'theirs', says: /is a part of the accounts of another server\./ },
  'that is shorter than it was': { change: () => truncateSync(`${file}.part`, 3), says: /is shorter than it was/ },
  'that others can read': { change: () => chmodSync(`${file}.part`, 0o644), says: /is not this user's alone/ },
  'that a link leads to': { change: aLink, says: /cannot be gone on with: ELOOP/ },
  'that somebody writes': {
    change: () => mark({ process: process.ppid, processBegun: undefined }),
    says: /^Process \d+ writes .* just now/,
  },
};

test.each(Object.entries(others))('does not go on with a part %s, and leaves it', async (_, { says, ...made }) => {
  const { of = ALL, change, server = 'ours' } = made;
  await brokenOff();
  change?.();
  const opened = async () => {
    await using again = await PartFile.open(file, of);
    await again.add({ text: '', accounts: 0, server });
  };
  await expect(opened()).rejects.toThrow(says);
  await expect(opened()).rejects.toThrow('--anew');
  expect(JSON.parse(readFileSync(`${file}.part.json`, 'utf8')).last).toBe('juliet@localhost');
});

test('goes on where the number of who wrote it is that of another process now', async () => {
  await brokenOff();
  mark({ process: process.ppid, processBegun: '0' });
  await using again = await PartFile.open(file, ALL);
  expect(again.last).toBe('juliet@localhost');
});

test('takes the place of no folder and no link, and begins nothing there', async () => {
  mkdirSync(file);
  symlinkSync('/dev/null', join(folder, 'link'));
  for (const name of ['out.xml', 'link'])
    await expect(PartFile.open(join(folder, name), ALL)).rejects.toThrow('is no plain file');
  expect(readdirSync(folder).sort()).toEqual(['link', 'out.xml']);
});

function mark(change: object): void {
  const text = readFileSync(`${file}.part.json`, 'utf8');
  writeFileSync(`${file}.part.json`, JSON.stringify({ ...JSON.parse(text), ...change }));
}

function aLink(): void {
  renameSync(`${file}.part`, join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), `${file}.part`);
}

test('whoever had the name before does not get it back', async () => {
  const first = await PartFile.open(file, ALL);
  await using second = await PartFile.open(file, ALL, true);
  await second.add(piece('<user/>\n', 'romeo@localhost'));
  await expect(first.finish()).rejects.toThrow('was taken away, or is that of another export now');
  await first[Symbol.asyncDispose]();
  expect([existsSync(file), part()]).toEqual([false, '<user/>\n']);
});
