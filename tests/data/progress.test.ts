import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataAdministration, ExportPiece } from '@parley/server/admin/data-administration';
import { beforeEach, expect, test, vi } from 'vitest';
import { exportCommand } from '../../packages/cli/src/export.ts';
import { importCommand } from '../../packages/cli/src/import.ts';
import { manyAccounts } from './many-accounts.ts';

/** What the commands speak to in place of a node. */
const data = vi.hoisted(() => ({ now: {} as Partial<DataAdministration> }));
vi.mock('../../packages/cli/src/data.ts', async (original) => ({
  ...(await original<object>()),
  withData: (_command: unknown, _changes: boolean, act: (given: unknown) => unknown) => act(data.now),
}));

let folder: string;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-progress-'));
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  return () => {
    vi.useRealTimers();
    rmSync(folder, { recursive: true });
  };
});

/** What is said until so many seconds later. */
const after = (seconds: number): string[] => {
  vi.advanceTimersByTime(seconds * 1000);
  return said.splice(0);
};
const command = (make: typeof exportCommand, ...args: string[]) => make().parseAsync(args, { from: 'user' });

test.each(['a file', 'standard output'])('an export to %s says how far it is every five seconds', async (to) => {
  const told: string[][] = [];
  const piece = (text: string, last?: string): ExportPiece => ({ text, accounts: 1000, server: 'x', last });
  data.now.export = async function* () {
    told.push(after(4), after(2));
    yield piece('x'.repeat(2_000_000), 'juliet@localhost');
    told.push(after(4));
    yield piece('é'.repeat(500_000), 'romeo@localhost');
    told.push(after(10));
    yield { text: '</server-data>\n', accounts: 0 };
  };
  await command(exportCommand, to === 'a file' ? join(folder, 'out.xml') : '-');
  expect(told).toEqual([
    [],
    ['0 accounts, 0.0 MB\n'],
    ['1000 accounts, 2.0 MB\n'],
    ['2000 accounts, 3.0 MB\n', '2000 accounts, 3.0 MB\n'],
  ]);
  expect(after(60)).toEqual(['2000 accounts written.\n']);
});

test('one that goes on counts what is there', async () => {
  const file = join(folder, 'out.xml');
  data.now.export = async function* () {
    yield { text: 'x'.repeat(3_000_000), accounts: 7, server: 'x', last: 'juliet@localhost' };
    throw new Error('The node is gone.');
  };
  await expect(command(exportCommand, file)).rejects.toThrow('The node is gone.');
  expect(after(60)).toEqual(['The export is broken off. Run it again, and it goes on where it is.\n']);
  let told: string[] = [];
  data.now.export = async function* ({ after: begun }) {
    expect(begun).toBe('juliet@localhost');
    told = after(5);
    yield { text: '</server-data>\n', accounts: 1, server: 'x' };
  };
  await command(exportCommand, file);
  expect(told).toEqual([expect.stringMatching(/^Going on behind the 7 accounts /), '7 accounts, 3.0 MB\n']);
  expect(said).toEqual(['8 accounts written.\n']);
});

test('an import does, too', async () => {
  const file = join(folder, 'in.xml');
  const text = [...manyAccounts(30)].join('');
  writeFileSync(file, text);
  const told: string[] = [];
  data.now.import = async ({ jid }) => {
    if (jid === 'u25@localhost') told.push(...after(5));
    return { done: 'begun', problems: [], hashes: [] };
  };
  await command(importCommand, file);
  expect(told).toEqual([expect.stringMatching(/^\d+ accounts, 0\.\d MB\n$/)]);
  expect(after(60).join('')).not.toContain(' MB');
});
