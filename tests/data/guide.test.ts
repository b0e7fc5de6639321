import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { writeProgram } from '../services/program-file.ts';
import { CLI, Installation, run } from '../support/process.ts';

/** The lines of docs/data.md that are commands of ours, in their order. */
const commands = Array.from(
  readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8').matchAll(/^ {4}((?:zstdcat .*)?\bparley .*)$/gm),
  ([, line = '']) => line,
);

test('the commands of docs/data.md do what stands there, one after the other', async () => {
  const ours = new Installation({ domains: [{ name: 'example.org' }] });
  const folder = join(ours.folder, 'here');
  for (const each of ['here', 'here/folder', 'backup', 'bin']) mkdirSync(join(ours.folder, each));
  // what others have on their machines
  const programs = { parley: `exec ${process.execPath} ${CLI} "$@"`, zstd: 'exec cat', zstdcat: 'exec cat "$@"' };
  for (const [name, line] of Object.entries(programs)) {
    writeProgram(join(ours.folder, 'bin', name), `#!/bin/sh\n${line}\n`);
  }
  const users = "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'><user name='bob'/></host></server-data>";
  writeFileSync(join(folder, 'folder', 'bob.xml'), users);
  const env = { PARLEY_CONFIG: ours.file, PATH: join(ours.folder, 'bin') + delimiter + process.env.PATH };

  await ours.accounts('alice@example.org');
  let node = await ours.start();
  const told: string[] = [];
  for (const command of commands) {
    const stopped = command.startsWith('parley restore');
    if (stopped) await node.stop();
    const line = command.replaceAll('/backup/', join(ours.folder, 'backup/')).replace('2026-11-26', '$(date +%F)');
    const { code, stdout, stderr } = await run('sh', ['-c', line], { cwd: folder, env });
    expect([command, code, stderr]).toEqual([command, 0, expect.any(String)]);
    told.push(...(stdout + stderr).trim().split('\n').slice(0, 1));
    if (stopped) node = await ours.start();
  }
  expect(told).toEqual([
    '1 account written.',
    '1 account written.',
    '1 account written.',
    '1 account written.',
    expect.stringMatching(/^1 account: here before/),
    '1 account: made',
    expect.stringMatching(/^1 account: here before/),
    expect.stringMatching(/^\d+\.\d MB written\.$/),
    expect.stringMatching(/^Everything is as it was at /),
    'All that is kept about alice@example.org is in alice/.',
    'Nothing is stored about alice@example.org any more. Not erased:',
  ]);
});
