import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { logIn } from '../support/network.ts';
import { CLI, Installation } from '../support/process.ts';
import { CONTACTS, MESSAGES, manyAccounts } from './many-accounts.ts';

/** The machine may have much else to do. */
const CALM = { process: { eventLoopDelayMilliseconds: 60_000 } };
const ROMEO = `<item jid='romeo@montague.net' name='Romeo' subscription='both'><group>Friends</group></item>`;

const juliet = (content: string, attributes = " password='secret'") =>
  `<?xml version='1.0'?>\n<server-data xmlns='urn:xmpp:pie:0'>\n<host jid='localhost'>\n<user name='juliet'${attributes}>\n${content}\n</user></host></server-data>`;

const ALL = [
  `<query xmlns='jabber:iq:roster'>${ROMEO}<item jid='nurse@localhost' subscription='none' ask='subscribe'/></query>`,
  `<presence xmlns='jabber:client' type='subscribe' from='paris@verona.lit'><nick xmlns='http://jabber.org/protocol/nick'>Paris</nick></presence>`,
  `<vCard xmlns='vcard-temp'><FN>Juliet &amp; Capulet</FN></vCard>`,
  `<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><defaultnick>J</defaultnick></exodus></query>`,
  `<blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@example.com'/></blocklist>`,
  `<offline-messages><message xmlns='jabber:client' from='romeo@montague.net/orchard' to='juliet@localhost' type='chat'><body>Fair saint</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-07-21T00:32:29Z'/></message></offline-messages>`,
].join('\n');

async function imported(ours: Installation, text: string, ...options: string[]) {
  const file = join(ours.folder, 'in.xml');
  writeFileSync(file, text);
  const { code, stdout, stderr } = await ours.parley(['import', ...options, file]);
  return {
    code,
    stdout,
    told: stderr
      .replaceAll(file, 'FILE')
      .split('\n')
      .filter((line) => line !== ''),
  };
}

async function exported(ours: Installation): Promise<string> {
  const { code, stdout } = await ours.parley(['export', '-']);
  expect(code).toBe(0);
  return stdout;
}

it.each(['a stopped store', 'a running node with Redis'])(
  'on %s all comes back as it was, and nothing comes twice',
  async (where) => {
    const redis = where.endsWith('Redis') ? await startRedis() : undefined;
    onTestFinished(() => redis?.stop());
    const shared = { keyspace: { url: redis?.url }, cluster: { secret: 'a secret that only the tests know of' } };
    const ours = new Installation({ limits: CALM, ...(redis && shared) });
    const other = new Installation({ limits: CALM });
    if (where !== 'a stopped store') await ours.start();
    expect(await imported(ours, juliet(ALL))).toEqual({ code: 0, stdout: '1 account: made\n', told: [] });
    const first = await exported(ours);
    for (const part of [ROMEO, 'Juliet &amp; Capulet', 'defaultnick', 'tybalt', 'Fair saint', 'Paris'])
      expect(first).toContain(part);
    expect(first.includes('secret')).toBe(false); // nothing but what it is checked by

    expect((await imported(other, first)).stdout).toBe('1 account: made\n');
    expect(await exported(other)).toBe(first);
    const merged = await imported(other, first, '--existing', 'merge');
    expect(merged.stdout).toMatch(/^1 account: here before; what was missing is added/);
    expect(await exported(other)).toBe(first);
  },
);

it('adds what is missing, or puts all in the place of what was there', async () => {
  const ours = new Installation({ limits: CALM });
  const node = await ours.start();
  await imported(ours, juliet(ALL));
  const client = await logIn(node.port('c2s'), 'juliet@localhost/balcony');
  const more = `<query xmlns='jabber:iq:roster'><item jid='romeo@montague.net' name='R' subscription='to'/><item jid='friar@x.lit' subscription='both'/></query><vCard xmlns='vcard-temp'><FN>J</FN></vCard>`;
  const roster = async () =>
    [...(await exported(ours)).matchAll(/<item jid='([^']+)' name='([^']+)'/g)].map(([, ...found]) => found.join(' '));
  const merged = await imported(ours, juliet(more, " password='other'"), '--existing', 'merge');
  expect(merged.told).toEqual(['FILE:4: juliet@localhost: The account keeps the password that it has here.']);
  const error = await client.take(({ name }) => name === 'error'); // it knows nothing of what it has now
  expect(error.childText('text', NS.streamErrors)).toBe('What was imported for the account is here: log in again.');
  expect(await roster()).toEqual(['romeo@montague.net Romeo']);
  expect(await exported(ours)).toContain(`<item jid='friar@x.lit' subscription='both'/>`);
  expect(await exported(ours)).toContain('Juliet &amp; Capulet');
  await logIn(node.port('c2s'), 'juliet@localhost/balcony');

  const replaced = await imported(ours, juliet(more.replaceAll('romeo', 'mercutio')), '--existing', 'replace');
  expect([replaced.code, replaced.told]).toEqual([0, []]);
  expect(await roster()).toEqual(['mercutio@montague.net R']);
  const after = await exported(ours);
  for (const gone of ['tybalt', 'defaultnick', 'Paris', 'Capulet']) expect(after.includes(gone)).toBe(false);
});

it('goes on where it was when it breaks off', async () => {
  const ours = new Installation({ limits: CALM });
  let node = await ours.start();
  const file = join(ours.folder, 'many.xml');
  const text = [...manyAccounts(400)];
  writeFileSync(file, text.join(''));
  for (const which of ['the command', 'the node']) {
    const child = spawn(process.execPath, [CLI, '--config', ours.file, 'import', '-'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const ended = once(child, 'exit');
    child.stdin.on('error', () => {}); // it ends before it has read all
    child.stdin.write(text.slice(0, 300).join('')); // of which the rest does not come
    const made = () => node.log.filter(({ event }) => event === 'account.imported').length;
    await expect.poll(made, { interval: 5 }).toBeGreaterThanOrEqual(which === 'the command' ? 40 : 120);
    if (which === 'the command') child.kill('SIGKILL');
    else await node.kill();
    await ended;
    if (which === 'the node') node = await ours.start();
  }
  expect((await ours.parley(['account', 'list'])).stdout.split('\n').length).toBeLessThan(400);
  const { code, stdout } = await ours.parley(['import', file]);
  expect(code).toBe(0);
  const [, made = '', here = ''] = /^(\d+) accounts: made\n(\d+) accounts: here before/.exec(stdout) ?? [];
  expect(Number(made) + Number(here)).toBe(400);
  expect(Number(here)).toBeGreaterThan(100);
  const all = await exported(ours);
  const users = all.split('<user ').slice(1);
  expect(users.length).toBe(400);
  for (const user of users) {
    expect(user.split('<item jid=').length - 1).toBe(CONTACTS);
    expect(new Set(user.match(/m\d+\.\d/g)).size).toBe(MESSAGES);
    expect(user.split('<message ').length - 1).toBe(MESSAGES);
  }
});

it('takes what it can, says where the rest is, and lets nobody in whose account is not whole', async () => {
  const ours = new Installation({ limits: CALM });
  await ours.start();
  const bad = `<server-data xmlns='urn:xmpp:pie:0'>
<host jid='localhost'>
<user name='ro meo'/>
<user/>
<user name='nurse'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-MD5'/></user>
<user name='juliet'>
<query xmlns='jabber:iq:roster'><item jid='@' subscription='both'/><item jid='a@b' subscription='x'/>${ROMEO}</query>
<archive xmlns='urn:xmpp:pie:0#mam'>${'<x/>'.repeat(1000)}</archive>
<vCard xmlns='vcard-temp'><FN>${'x'.repeat(200_000)}</FN></vCard>
<offline-messages><message xmlns='jabber:client' type='error' from='a@b'/></offline-messages>
</user></host>
<host jid='elsewhere.lit'><user name='x'/></host></server-data>`;
  const { code, stdout, told } = await imported(ours, bad);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^2 accounts: made\n2 accounts: not taken, see above\n2 accounts came without a password/);
  expect(told.map((line) => line.replace(/^FILE:(\d+): (.{30}).*/, '$1 $2')).sort()).toEqual(
    [
      '3 ro meo@localhost: This is no a',
      '4 <user/> without name is nothing',
      '5 nurse@localhost: Its SCRAM cre',
      '7 juliet@localhost: A contact ha',
      '7 juliet@localhost: The subscrip',
      '8 <archive/> of urn:xmpp:pie:0#m',
      '9 juliet@localhost: The vCard is',
      '10 juliet@localhost: Something am',
      '12 x@elsewhere.lit: The domain el',
    ]
      .map((line) => line.replace(/^(\d+ .{30}).*/, '$1'))
      .sort(),
  );
  const strict = await imported(ours, bad, '--strict');
  expect([strict.code, strict.told.at(-1)]).toEqual([1, expect.stringMatching(/^FILE:3: /)]);

  expect((await ours.parley(['status'])).code).toBe(0);
});

it('takes no password that is the name, as Openfire writes it where it cannot read one, and the rest of such an account', async () => {
  const ours = new Installation({ limits: CALM });
  const { code, stdout, told } = await imported(
    ours,
    `<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'>
<user name='juliet' password='Juliet'><query xmlns='jabber:iq:roster'>
  <item jid='romeo@localhost' subscription='both'><group/></item></query></user>
<user name='romeo' password='secret'/></host></server-data>`,
  );
  expect([code, told]).toEqual([0, [expect.stringMatching(/^FILE:2: juliet@localhost: Its password is its name/)]]);
  expect(stdout).toMatch(/^2 accounts: made\n1 account came without a password/);
  const [, juliets = '', romeos = ''] = (await exported(ours)).split(/(?=<user name='(?:juliet|romeo)')/).sort();
  expect(juliets).toContain("<item jid='romeo@localhost' subscription='both'/>");
  expect([juliets, romeos].map((user) => user.includes('scram-credentials'))).toEqual([false, true]);
});

it('needs little memory for much, both ways', async () => {
  const ours = new Installation({ limits: CALM });
  await ours.start();
  const [file, back] = [join(ours.folder, 'many.xml'), join(ours.folder, 'back.xml')];
  const message = `<message xmlns='jabber:client' from='a@b' to='big@localhost'><body>${'x'.repeat(10_000)}</body></message>`;
  const big = `<user name='big'><offline-messages>${message.repeat(1500)}</offline-messages></user>`;
  writeFileSync(file, [...manyAccounts(200)].join('').replace('</host>', `${big}</host>`)); // 15 MB of one account
  const little = { NODE_OPTIONS: '--max-old-space-size=64' };
  const taken = await ours.parley(['import', file], undefined, little);
  expect(taken.stdout).toMatch(/^201 accounts: made\n/);
  expect((await ours.parley(['export', back], undefined, little)).stderr).toBe('201 accounts written.\n');
  expect(readFileSync(back, 'utf8').split('<user ').length).toBe(202);
});
