import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findProgram } from '../../scripts/test-services.ts';
import { conditionOf, plain } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { CLI, Installation, run } from '../support/process.ts';

const PASSWORD = 'a pencil of gräphite';
const python = findProgram('python3') ?? 'python3';
const helper = fileURLToPath(new URL('./terminal.py', import.meta.url));

/** `parley …` at a terminal; each answer is typed when its question is there. */
function atTerminal(installation: Installation, dialogue: readonly string[], ...args: string[]) {
  const words = [helper, ...dialogue, '--', process.execPath, CLI, '--config', installation.file, ...args];
  return run(python, words);
}

it('asks twice for a password, and shows nothing of it', async () => {
  const installation = new Installation();
  const dialogue = ['Password for juliet@localhost: ', `${PASSWORD}\\x0d`, 'Once more: ', `${PASSWORD}\\x0d`];
  const { code, stdout } = await atTerminal(installation, dialogue, 'account', 'add', 'juliet@localhost');
  expect(stdout.split(/[\r\n]+/).filter(Boolean)).toEqual([
    'Password for juliet@localhost: ',
    'Once more: ',
    'juliet@localhost can log in now.',
  ]);
  expect(code).toBe(0);
  const node = await installation.start();
  const client = await encrypted(node.port('c2s'));
  expect(conditionOf(await plain(client, 'juliet', PASSWORD))).toBe('success');
});

it.each([
  [
    'two that differ',
    ['Password', 'one\\x0d', 'Once more', 'other\\x0d'],
    'The two are not the same: nothing was changed.',
  ],
  ['none', ['Password', '\\x0d'], 'There is no password: nothing was changed.'],
  ['Ctrl-C', ['Password', 'secret\\x03'], 'There is no password: nothing was changed.'],
  ['Ctrl-D', ['Password', '\\x04'], 'There is no password: nothing was changed.'],
])('takes %s for no password', async (_, dialogue, words) => {
  const installation = new Installation();
  const { code, stdout } = await atTerminal(installation, dialogue, 'account', 'add', 'juliet@localhost');
  expect([
    code,
    stdout
      .split(/[\r\n]+/)
      .filter(Boolean)
      .at(-1),
  ]).toEqual([2, words]);
  expect(stdout).not.toMatch(/secret|one|other/);
});

it('takes what is typed before it is asked for, both times', async () => {
  const installation = new Installation();
  const dialogue = ['Password', 'secret\\x0dsecret\\x0d'];
  const { code, stdout } = await atTerminal(installation, dialogue, 'account', 'add', 'juliet@localhost');
  expect([code, stdout]).toEqual([0, expect.not.stringContaining('secret')]);
});

it('asks once for a password that is only tried, and shows nothing of it', async () => {
  const directory = {
    name: 'corp',
    servers: ['ldap://localhost:1'],
    bind: { dn: 'cn=parley,dc=example,dc=org', password: 'none' },
    people: { base: 'dc=example,dc=org' },
  };
  const installation = new Installation({ directories: [directory] });
  const dialogue = ['Password of romeo: ', `${PASSWORD}\\x0d`];
  const { code, stdout } = await atTerminal(installation, dialogue, 'directory', 'test', 'romeo', '--password');
  expect(stdout).toContain('Nothing listens on localhost:1');
  expect(stdout).not.toContain(PASSWORD);
  expect(code).toBe(1);
});
