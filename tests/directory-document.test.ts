import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished } from 'vitest';
import { blocksOf } from './documents.ts';
import { CLI, run } from './support/process.ts';

const document = readFileSync(fileURLToPath(new URL('../docs/directory.md', import.meta.url)), 'utf8');

it('docs/directory.md leads from an empty directory to a login, as it stands there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-try-'));
  onTestFinished(() => {
    const pid = join(folder, 'try/slapd.pid');
    if (existsSync(pid)) process.kill(Number(readFileSync(pid, 'utf8')));
    rmSync(folder, { recursive: true });
  });
  const free = String(await freePort());
  const commands = blocksOf(document)
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.replaceAll('3389', free));
  expect(commands).toHaveLength(5);
  const npx = `npx() { shift; '${process.execPath}' '${CLI}' "$@"; }`;
  writeFileSync(join(folder, 'commands.sh'), ['set -e', npx, ...commands].join('\n'));
  const { code, stdout, stderr } = await run('bash', ['commands.sh'], { cwd: folder });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const shown = blocksOf(document).find(({ text }) => text.startsWith('office (openldap)'))?.text ?? '';
  const plain = (text: string) =>
    text
      .slice(text.indexOf('office (openldap)'))
      .replaceAll(free, '3389')
      .replaceAll(/until \d{4}-\d\d-\d\d/g, 'until …')
      .replaceAll(/entryUUID is \S+/g, 'entryUUID is …')
      .replaceAll(/^ +- +speaks .*\n/gm, '');
  expect(plain(stdout)).toBe(plain(shown));
  expect(existsSync(join(folder, 'try'))).toBe(false);
});
