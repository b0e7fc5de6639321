import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { World } from '../federation/world.ts';
import { ejabberdCommand } from '../services/ejabberd.ts';
import { exportOfProsody } from '../services/prosody-migrator.ts';
import type { XmppPeer } from '../services/xmpp-peer.ts';
import { TestClient } from '../support/client.ts';
import { conditionOf, features, scram } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { socketWire } from '../support/wires.ts';
import { makeAccounts, PRIVATE, VCARD } from './foreign-accounts.ts';

const DOMAIN = 'verona.lit';

/** Servers put groups in any order. */
const contact = (item: Element): (string | undefined)[] => {
  const groups = item.elements.map(({ text }) => text).sort();
  return [item.attr('jid'), item.attr('name'), item.attr('subscription'), ...groups];
};

let world: World;
beforeAll(async () => {
  world = await World.make();
});
afterAll(() => world[Symbol.asyncDispose]());

/** Takes the export in, on a server that runs, and answers what was said. */
async function imported(
  files: readonly string[],
  leftOut: readonly string[] = [],
): Promise<{ node: RunningParley; said: string; ours: Installation }> {
  const ours = new Installation({ domains: [DOMAIN], limits: { process: { eventLoopDelayMilliseconds: 60_000 } } });
  const node = await ours.start();
  const { code, stdout, stderr } = await ours.parley(['import', ...files]);
  expect(code).toBe(0);
  const told = stderr.split('\n').filter((line) => line !== '');
  expect(told.flatMap((line) => /<(\w+)\/> of (\S+) is nothing/.exec(line)?.slice(1) ?? [line])).toEqual(leftOut);
  expect(stdout).toMatch(/^3 accounts: made\n/);
  return { node, said: stdout + stderr, ours };
}

/** Somebody with the password of before. */
async function logsIn(port: number): Promise<TestClient> {
  const client = await encrypted(port, DOMAIN);
  const attempt = { hash: 'SHA-1', username: 'juliet', password: 'secret' } as const;
  expect(conditionOf(await scram(client, attempt))).toBe('success');
  await features(client);
  await client.request('set', `<bind xmlns='${NS.bind}'><resource>balcony</resource></bind>`);
  client.jid = 'juliet@verona.lit/balcony';
  return client;
}

async function expectContents(client: TestClient, waiting: readonly string[], blocked: boolean): Promise<void> {
  const roster = (await client.request('get', `<query xmlns='${NS.roster}'/>`)).firstChild;
  expect(roster?.elements.map(contact)).toEqual([['romeo@verona.lit', 'Romeo <3', 'both', 'Friends', 'Verona']]);
  expect(String((await client.request('get', `<vCard xmlns='${NS.vcard}'/>`)).firstChild)).toBe(VCARD);
  const kept = (await client.request('get', `<query xmlns='${NS.private}'><x xmlns='exodus:prefs'/></query>`))
    .firstChild;
  expect(String(kept?.firstChild)).toBe(PRIVATE);
  const list = (await client.request('get', `<blocklist xmlns='${NS.blocking}'/>`)).firstChild;
  expect(list?.elements.map((item) => item.attr('jid'))).toEqual(blocked ? ['tybalt@example.com'] : []);
  client.send('<presence/>');
  const request = await client.take((element) => element.attr('type') === 'subscribe');
  expect(request.attr('from')).toBe('paris@verona.lit');
  for (const words of waiting) {
    const message = await client.take(({ name }) => name === 'message');
    expect([message.childText('body'), message.attr('from')]).toEqual([words, 'romeo@verona.lit/there']);
    expect(Date.parse(message.child('delay', NS.delay)?.attr('stamp') ?? '')).toBeGreaterThan(Date.now() - 600_000);
  }
  await client.sync();
  expect(client.inbox.filter(({ name }) => name === 'message')).toEqual([]);
}

/** An account of ours at the other server, by its old password. */
async function logsInAt(peer: XmppPeer, user: string): Promise<TestClient> {
  const client = new TestClient(await socketWire(peer.port));
  client.open(peer.domain);
  await features(client);
  expect(conditionOf(await scram(client, { hash: 'SHA-1', username: user, password: 'secret' }))).toBe('success');
  await features(client);
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  return client;
}

const WORDS = ['Good night', 'good night', 'parting is such sweet sorrow'];

test('what ejabberd exports, and what it reads', async () => {
  const peer = await world.peer('ejabberd', DOMAIN, true, { scram: true });
  await makeAccounts(peer);
  const spool = join(peer.folder, 'spool');
  await ejabberdCommand(peer.folder, 'export_piefxis', { dir: spool });
  const [main = ''] = readdirSync(spool).filter((name) => /^\d+-\d+\.xml$/.test(name));
  const { node, said, ours } = await imported([join(spool, main)]);
  expect(said).toContain('SCRAM-SHA-1 or PLAIN alone');
  const client = await logsIn(node.port('c2s'));
  await expectContents(client, WORDS, true);
  // the way back, under another name
  const file = join(peer.folder, 'ours.xml');
  expect((await ours.parley(['export', '--for', 'ejabberd', '--account', 'juliet@verona.lit', file])).code).toBe(0);
  writeFileSync(join(spool, 'ours.xml'), readFileSync(file, 'utf8').replace("name='juliet'", "name='giulietta'"));
  await ejabberdCommand(peer.folder, 'import_piefxis', { file: join(spool, 'ours.xml') });
  const there = await logsInAt(peer, 'giulietta');
  const roster = (await there.request('get', `<query xmlns='${NS.roster}'/>`)).firstChild;
  expect(roster?.elements.map((item) => item.attr('jid'))).toEqual(['romeo@verona.lit']);
  expect((await there.request('get', `<vCard xmlns='${NS.vcard}'/>`)).firstChild?.childText('FN')).toBe(
    'Juliet Capulet & more',
  );
  const blocked = (await there.request('get', `<blocklist xmlns='${NS.blocking}'/>`)).firstChild;
  expect(blocked?.elements.map((item) => item.attr('jid'))).toEqual(['tybalt@example.com']);
  await peer.end();
});

test('what Prosody exports, and what it reads', async () => {
  const peer = await world.peer('Prosody', DOMAIN, true, { scram: true });
  await makeAccounts(peer);
  await peer.kill();
  const migrated = await exportOfProsody(peer.folder, DOMAIN);
  const settings = ['pubsub', 'http://jabber.org/protocol/pubsub#owner'];
  const { node, said, ours } = await imported([migrated], settings);
  expect(said).toContain('SCRAM-SHA-1 or PLAIN alone');
  // its module for XEP-0227 has no place for messages that wait, nor for blocklists
  await expectContents(await logsIn(node.port('c2s')), [], false);
  // the way back: one file for each account is how it keeps them itself
  const reader = await world.peer('Prosody', DOMAIN, true, { scram: true, portable: true });
  const file = join(reader.folder, 'data', 'juliet@verona.lit.xml');
  expect((await ours.parley(['export', '--account', 'juliet@verona.lit', file])).code).toBe(0);
  chmodSync(file, 0o644);
  const there = await logsInAt(reader, 'juliet');
  const roster = (await there.request('get', `<query xmlns='${NS.roster}'/>`)).firstChild;
  expect(roster?.elements.map((item) => item.attr('jid'))).toEqual(['romeo@verona.lit']);
  const kept = (await there.request('get', `<query xmlns='${NS.private}'><exodus xmlns='exodus:prefs'/></query>`))
    .firstChild;
  expect(String(kept?.firstChild)).toBe(PRIVATE);
  for (const each of [peer, reader]) await each.end();
});
