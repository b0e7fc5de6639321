import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '@parley/server/version';
import { expect, it, onTestFinished } from 'vitest';
import { CLI, type Finished, run } from '../support/process.ts';

/** In a folder without a configuration. */
function parley(...args: string[]): Promise<Finished> {
  const cwd = mkdtempSync(join(tmpdir(), 'parley-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  return run(process.execPath, [CLI, ...args], { cwd });
}

/** The commands that a help text lists. */
const commandsOf = (help: string): string[] =>
  (help.split(/^Commands:$/m)[1] ?? '')
    .split('\n')
    .map((line) => /^ {2}([a-z][a-z0-9]*)/.exec(line)?.[1])
    .filter((name): name is string => name !== undefined && name !== 'help');

it('says for each command what it does and takes', async () => {
  const help = await parley('--help');
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(/^Usage: parley \[options\] \[command\]$/m);
  expect(help.stdout).toMatch(/^Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 no node/m);
  const commands = commandsOf(help.stdout);
  expect(commands).toEqual([
    'start',
    'check',
    'account',
    'export',
    'import',
    'backup',
    'restore',
    'directory',
    's2s',
    'status',
    'health',
    'try',
    'reload',
    'drain',
    'snmp',
    'mib',
  ]);
  const all = commands.map((name) => [name]);
  for (const group of ['account', 'directory', 's2s']) {
    all.push(...commandsOf((await parley(group, '--help')).stdout).map((name) => [group, name]));
  }
  expect(all.map((words) => words.join(' '))).toContain('account passwd');
  const texts = await Promise.all(all.map((words) => parley(...words, '--help')));
  for (const [index, { code, stdout, stderr }] of texts.entries()) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: parley ${all[index]?.join(' ')} `, 'm'));
    expect(stdout).toMatch(/^\w.+\.$/m); // a sentence
    expect(stdout).toContain('--config <file>');
  }
});

it.each([
  [['--version'], 0, `${version}\n`, ''],
  [['nonsense'], 2, '', `error: unknown command 'nonsense'`],
  [['--nonsense'], 2, '', `error: unknown option '--nonsense'`],
  [['status', 'me'], 2, '', 'error: too many arguments'],
  [['account', 'add'], 2, '', `error: missing required argument 'jid'`],
  [['account', 'add', 'romeo@localhost', 'secret'], 2, '', 'error: too many arguments'],
  [['status', '--config'], 2, '', `error: option '-c, --config <file>' argument missing`],
  [['status'], 3, '', 'No node runs here: nobody listens on '],
  [['reload'], 3, '', 'No node runs here: nobody listens on '],
  [['check'], 0, 'There is no file: the defaults are used.\n', ''],
  [
    ['check', '--config', 'missing.yaml'],
    2,
    '',
    'The configuration has a problem:\n  missing.yaml cannot be read (ENOENT)',
  ],
] as const)('answers %j with the exit code %d', async (args, code, stdout, stderr) => {
  const finished = await parley(...args);
  expect(finished).toMatchObject({ code, stdout });
  expect(finished.stderr.slice(0, stderr.length)).toBe(stderr);
  expect(finished.stderr === '').toBe(stderr === '');
});

it('shows how it is used where nothing is said', async () => {
  const { code, stdout, stderr } = await parley();
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Usage: parley /);
});
