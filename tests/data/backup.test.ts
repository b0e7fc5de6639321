import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { entriesOf } from '../support/audit.ts';
import type { TestClient } from '../support/client.ts';
import { logIn } from '../support/network.ts';
import { Installation } from '../support/process.ts';

/** The machine may have much else to do. */
const CALM = { process: { eventLoopDelayMilliseconds: 60_000 } };
const ROMEO = 'romeo@localhost';
const JULIET = 'juliet@localhost';

/** What waits for Juliet, in its order. */
async function waitingFor(port: number): Promise<string[]> {
  const client = await logIn(port, `${JULIET}/balcony`);
  client.send('<presence/>');
  const words: string[] = [];
  const isMessage = ({ name }: Element) => name === 'message';
  for (let next: Element | undefined = await client.take(isMessage); next !== undefined; ) {
    words.push(next.childText('body') ?? '');
    if (client.inbox.length === 0) await client.request('get', `<ping xmlns='${NS.ping}'/>`);
    next = client.inbox.some(isMessage) ? await client.take(isMessage) : undefined;
  }
  client.break();
  return words;
}

const say = (client: TestClient, words: string) =>
  client.send(`<message type='chat' to='${JULIET}'><body>${words}</body></message>`);

test('a backup under load holds what was stored before it, and nothing that is not whole', async () => {
  const ours = new Installation({ limits: CALM, admins: [ROMEO], offline: { maxMessages: 100_000 } });
  await ours.accounts(ROMEO, JULIET);
  const node = await ours.start();
  const romeo = await logIn(node.port('c2s'), `${ROMEO}/orchard`);
  const item = `<item jid='nurse@localhost' name='Nurse'><group>House</group></item>`;
  await romeo.request('set', `<query xmlns='${NS.roster}'>${item}</query>`);
  for (let n = 0; n < 50; n++) say(romeo, `w${n}`);
  await romeo.sync();
  // on it goes while the backup is made
  let n = 50;
  const talking = setInterval(() => {
    say(romeo, `w${n++}`);
  }, 10);
  const file = join(ours.folder, 'backup');
  const made = await ours.parley(['backup', file]);
  clearInterval(talking);
  expect([made.code, made.stderr]).toEqual([0, expect.stringMatching(/^\d+\.\d MB written\.\n$/)]);
  await romeo.sync();
  const said = n;
  expect(said).toBeGreaterThan(50); // something was said meanwhile, however fast the machine is

  const other = new Installation({ limits: CALM, offline: { maxMessages: 100_000 } });
  await other.accounts('somebody@localhost');
  const restored = await other.parley(['restore', file]);
  expect([restored.code, restored.stderr]).toEqual([0, '']);
  expect(restored.stdout).toMatch(/^Everything is as it was at .* \(version .*: localhost\)\.\nWhat was here is in /);
  expect((await other.parley(['account', 'list'])).stdout.split('\n').sort()).toEqual(['', JULIET, ROMEO]);
  const told = entriesOf(other.auditText).filter(({ event }) => event === 'data.restored');
  expect(told).toMatchObject([
    { outcome: 'success', subject: 'localhost', actor: expect.stringMatching(/ \(command\)$/) },
  ]);
  const again = await other.start();
  const words = await waitingFor(again.port('c2s'));
  expect(words.length).toBeGreaterThanOrEqual(50);
  expect(words).toEqual(Array.from({ length: words.length }, (_, each) => `w${each}`));
  const client = await logIn(again.port('c2s'), `${ROMEO}/garden`);
  const roster = (await client.request('get', `<query xmlns='${NS.roster}'/>`)).firstChild;
  expect(roster?.firstChild?.attr('name')).toBe('Nurse');
});

test('what is no whole backup, or would replace what is in use, is refused', async () => {
  const ours = new Installation();
  await ours.accounts(ROMEO);
  const file = join(ours.folder, 'backup');
  expect((await ours.parley(['backup', file])).code).toBe(0);
  const intoFolder = await ours.parley(['backup', join(ours.folder, 'data')]);
  expect(intoFolder).toMatchObject({ code: 1, stderr: expect.stringMatching(/data is no plain file\./) });
  const whole = readFileSync(file);
  const end = whole.indexOf(10);
  const header = JSON.parse(whole.toString('utf8', 0, end)) as object;
  const changed = Buffer.from(whole);
  changed[end + 5000] = (changed[end + 5000] ?? 0) ^ 1;
  const newer = Buffer.concat([Buffer.from(JSON.stringify({ ...header, 'parley-backup': 2 })), whole.subarray(end)]);
  const restore = async (bytes: Buffer | string) => {
    writeFileSync(join(ours.folder, 'bad'), bytes);
    const { code, stdout, stderr } = await ours.parley(['restore', join(ours.folder, 'bad')]);
    return [code, stdout, stderr];
  };
  expect(await restore(changed)).toEqual([1, '', expect.stringMatching(/^This backup is damaged: /)]);
  expect(await restore(whole.subarray(0, whole.length - 2000))).toEqual([1, '', expect.stringMatching(/cut off/)]);
  expect(await restore(newer)).toEqual([1, '', expect.stringMatching(/whose form this version does not know/)]);

  const node = await ours.start();
  const refused = await ours.parley(['restore', file]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/^The server runs: stop it first\./)]);
  const entries = entriesOf(ours.auditText).filter(({ event }) => event === 'administration.refused');
  expect(entries.map(({ reason }) => reason).at(-1)).toMatch(/^The server runs/);
  expect(entries).toHaveLength(4);
  // by another configuration, which does not know of it
  const elsewhere = { admin: { socket: join(ours.folder, 'other.sock') } };
  ours.configure(elsewhere);
  const locked = await ours.parley(['restore', file]);
  expect([locked.code, locked.stderr]).toEqual([1, expect.stringMatching(/is in use by another process/)]);
  ours.configure({});
  await node.stop();
  expect((await ours.parley(['restore', file])).code).toBe(0);
  expect((await ours.parley(['account', 'list'])).stdout).toBe(`${ROMEO}\n`);
});
