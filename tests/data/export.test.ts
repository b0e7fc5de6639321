import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CLI, Installation, type RunningParley, run } from '../support/process.ts';

/** The machine may have much else to do. */
const CALM = { process: { eventLoopDelayMilliseconds: 60_000 } };
const COUNT = 150;

/** Accounts with much of each, one of which tries to look like the end of one. */
const accounts = (names: readonly string[]): string => {
  const text = '</user>\n<user name="x">'.replaceAll('<', '&lt;').repeat(1000) + 'é'.repeat(10_000);
  const users = names.map(
    (name) =>
      `<user name='${name}'><query xmlns='jabber:iq:private'><user xmlns='urn:a'>${text}<user/>\n</user>\n</query></user>`,
  );
  return `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'>${users.join('')}</host></server-data>`;
};
const NAMES = Array.from({ length: COUNT }, (_, n) => `u${n}`);

async function takeIn(ours: Installation, names: readonly string[]): Promise<void> {
  const file = join(ours.folder, 'in.xml');
  writeFileSync(file, accounts(names));
  expect((await ours.parley(['import', file])).code).toBe(0);
}

type End = (child: ChildProcess) => unknown;

/** An export that goes on until more of it is there for good, and is broken off then; what it said. */
async function brokenOff(ours: Installation, file: string, end: End, mend?: () => Promise<unknown>): Promise<string> {
  const parts = [`${file}.part`, `${file}.part.json`];
  const before = parts.map((part) => readFileSync(part));
  for (;;) {
    const said = await exportUntilMore(ours, file, end);
    if (!existsSync(file) && accountsIn(file) < COUNT) return said;
    // it had all of them before this process saw that there was more: once again
    await mend?.();
    rmSync(file, { force: true });
    for (const [index, part] of parts.entries()) writeFileSync(part, before[index] as Buffer, { mode: 0o600 });
  }
}

async function exportUntilMore(ours: Installation, file: string, end: End): Promise<string> {
  const before = accountsIn(file);
  const child = spawn('nice', ['-n', '10', process.execPath, CLI, '--config', ours.file, 'export', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk) => (said += chunk));
  const ended = once(child, 'close');
  const watching = watch(ours.folder, () => {
    if (accountsIn(file) <= before) return;
    watching.close();
    end(child);
  });
  await ended;
  watching.close();
  return said;
}

function accountsIn(file: string): number {
  try {
    return JSON.parse(readFileSync(`${file}.part.json`, 'utf8')).accounts;
  } catch {
    return 0;
  }
}

test('an export goes on where it broke off, whatever broke it off, and is what it would have been', async () => {
  const ours = new Installation({ limits: CALM });
  let node: RunningParley = await ours.start();
  await takeIn(ours, NAMES);
  const [whole, file] = [join(ours.folder, 'whole.xml'), join(ours.folder, 'out.xml')];
  expect(await ours.parley(['export', whole])).toEqual({ code: 0, stdout: '', stderr: `${COUNT} accounts written.\n` });

  // no file may be larger than that, as on a disk that is full
  const full = ['ulimit -f 4000; exec "$@"', 'sh', process.execPath, CLI, '--config', ours.file, 'export', file];
  const { stderr: room } = await run('sh', ['-c', ...full]);
  expect(room).toMatch(/^The export is broken off\. Run it again, and it goes on where it is\.\nEFBIG: /);
  expect(accountsIn(file)).toBeGreaterThan(0);

  await brokenOff(ours, file, (child) => child.kill('SIGKILL'));
  const first = accountsIn(file);
  appendFileSync(`${file}.part`, Buffer.from("</user>\n<user name='é").subarray(0, -1));
  let killed: Promise<void> | undefined;
  const kill = () => (killed = node.kill());
  const said = await brokenOff(ours, file, kill, async () => {
    await killed;
    node = await ours.start();
  });
  await killed;
  expect(said).toMatch(new RegExp(`^Going on behind the ${first} accounts of an export that was begun at `));
  expect(said).toContain(
    'Run it again, and it goes on where it is.\nThe node went away before it had told everything.\n',
  );
  const second = accountsIn(file);
  expect([first > 0, second > first, second < COUNT]).toEqual([true, true, true]);

  const { code, stderr } = await ours.parley(['export', file]); // the node is gone: from the disk
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(`^Going on behind the ${second} accounts of [^]*\n${COUNT} accounts written\\.\n$`),
  ]);
  expect(readFileSync(file).equals(readFileSync(whole))).toBe(true);
});
