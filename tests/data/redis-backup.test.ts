import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startRedisServer } from '../../scripts/redis-server.ts';
import { findProgram, missingMessage, testNeeds } from '../../scripts/test-services.ts';
import { Installation } from '../support/process.ts';

const folder = mkdtempSync(join(tmpdir(), 'parley-redis-backup-'));
const backup = join(folder, 'backup.rdb');
const [before, after] = ['before', 'after'].map((name) => join(folder, name)) as [string, string];

/** The lines of a block of docs/data.md that begin so, without what is said behind them. */
function documented(program: string): string[] {
  const text = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8');
  const [, section = ''] = /^## Backups of Redis\n([\s\S]*?)^## /m.exec(text) ?? [];
  return Array.from(section.matchAll(new RegExp(`^ {4}${program} (.*?)(?: +#.*)?$`, 'gm')), ([, words = '']) => words);
}

/** A Redis of the files in a folder, set as docs/operations.md asks, and by these options. */
async function redisOf(directory: string, ...options: string[]) {
  const server = await startRedisServer(directory, ['--save', '', '--appendonly', 'yes', ...options]);
  if (server === undefined) {
    const need = testNeeds.filter(({ variable }) => variable === 'TEST_REDIS_URL');
    throw new Error(missingMessage(need, 'this test restores one, so it has to be a program on this machine'));
  }
  onTestFinished(() => server.stop());
  const port = new URL(server.url).port;
  const cli = (...words: string[]) =>
    execFileSync(String(findProgram('redis-cli')), ['-p', port, ...words], { stdio: 'pipe' }).toString();
  return { ...server, cli };
}

test('a Redis is backed up while nodes use it, and restored, as docs/data.md has it', async () => {
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [backingUp = ''] = documented('redis-cli --rdb');
  expect(backingUp).toMatch(/\.rdb$/);
  const starting = documented('redis-server redis.conf');
  const [, rewriting = ''] = documented('redis-cli');
  expect([starting, rewriting]).toEqual([['--appendonly no'], 'config set appendonly yes']);

  mkdirSync(before);
  const first = await redisOf(before);
  const ours = new Installation();
  const shared = { cluster: { secret: 'a secret that only the tests know of' } };
  ours.configure({ keyspace: { url: first.url }, ...shared });
  await ours.accounts('juliet@localhost');
  first.cli('--rdb', backup);
  await ours.accounts('romeo@localhost');
  const accounts = async () => (await ours.parley(['account', 'list'])).stdout.trim().split('\n').sort();
  expect(await accounts()).toEqual(['juliet@localhost', 'romeo@localhost']);
  await first.stop('SIGTERM');

  // its append-only file is moved away, and the backup put in its place
  renameSync(join(before, 'appendonlydir'), join(folder, 'away'));
  renameSync(before, after);
  copyFileSync(backup, join(after, 'dump.rdb'));
  const second = await redisOf(after, ...(starting[0] ?? '').split(' '));
  second.cli(...rewriting.split(' '));
  await expect.poll(() => second.cli('info', 'persistence')).toContain('aof_rewrite_in_progress:0');
  await second.stop('SIGKILL');

  // all of it is in the new append-only file
  rmSync(join(after, 'dump.rdb'));
  const third = await redisOf(after);
  ours.configure({ keyspace: { url: third.url }, ...shared });
  expect(await accounts()).toEqual(['juliet@localhost']);
});
