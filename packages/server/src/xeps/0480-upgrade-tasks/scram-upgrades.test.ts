import { pbkdf2Sync } from 'node:crypto';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, test } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { conditionOf, isIn } from '../../../../../tests/support/login.ts';
import { addressIn, offerOf, plain2, said, scram2 } from '../../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import { accountKeys } from '../../auth/account-store.ts';
import type { Configuration } from '../../config/schema.ts';
import sasl2 from '../0388-sasl2/sasl2.ts';
import upgradeTasks from './upgrade-tasks.ts';

const juliet = Jid.parse('juliet@localhost');
const right = { username: 'juliet', password: 'secret' };
const want = (...hashes: string[]) =>
  hashes.map((hash) => `<upgrade xmlns='${NS.saslUpgrade}'>UPGR-SCRAM-${hash}</upgrade>`).join('');

let server: TestServer;

/** Juliet's account has a verifier of SHA-1 alone, as one that came from an older server. */
async function start(config: object = {}): Promise<void> {
  server = await startServer({
    modules: [sasl2, upgradeTasks],
    config: { limits: { logins: { delaySeconds: 0 } }, ...config } as Configuration,
  });
  await server.account('juliet@localhost');
  await server.keyspace.hdel(accountKeys.key('juliet@localhost'), 'SHA-256', 'SHA-512');
  server.accounts.changedElsewhere?.({ account: juliet, change: 'upgraded' });
}

function connect(): TestClient {
  const client = server.connect();
  client.open('localhost', 'juliet@localhost');
  return client;
}

async function next(client: TestClient, hash: string) {
  client.send(`<next xmlns='${NS.sasl2}' task='UPGR-SCRAM-${hash}'/>`);
  return (await said(client)).child('salt', NS.scramUpgrade);
}

/** Gives the salted password to the task. */
async function give(client: TestClient, hash: 'SHA-256' | 'SHA-512', password = 'secret') {
  const salt = await next(client, hash);
  const [bytes, digest] = hash === 'SHA-256' ? [32, 'sha256'] : [64, 'sha512'];
  const iterations = Number(salt?.attr('iterations'));
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt?.text ?? '', 'base64'),
    iterations,
    bytes as number,
    digest as string,
  );
  return hand(client, salted.toString('base64'));
}

function hand(client: TestClient, hash: string) {
  client.send(`<task-data xmlns='${NS.sasl2}'><hash xmlns='${NS.scramUpgrade}'>${hash}</hash></task-data>`);
  return said(client);
}

const tasksOf = (element: { child(name: string): { elements: { text: string }[] } | undefined }) =>
  element.child('tasks')?.elements.map(({ text }) => text);

beforeEach(() => start());

test('is announced whoever it is', async () => {
  const stranger = server.connect();
  stranger.open('localhost');
  for (const client of [connect(), stranger]) {
    const offered = (await offerOf(client)).elements.filter(({ ns }) => ns === NS.saslUpgrade).map(({ text }) => text);
    expect(offered).toEqual(['UPGR-SCRAM-SHA-512', 'UPGR-SCRAM-SHA-256']);
  }
});

test('whoever logs in by SCRAM leaves better verifiers, and logs in by them the next time', async () => {
  const client = connect();
  expect(conditionOf(await scram2(connect(), { ...right, hash: 'SHA-512' }))).toBe('not-authorized');
  const first = await scram2(client, right, want('SHA-256', 'SHA-512'));
  expect(tasksOf(first)).toEqual(['UPGR-SCRAM-SHA-512']);
  expect(tasksOf(await give(client, 'SHA-512'))).toEqual(['UPGR-SCRAM-SHA-256']);
  expect(addressIn(await give(client, 'SHA-256'))).toBe('juliet@localhost');
  expect(await isIn(client)).toBe(true);
  for (const hash of ['SHA-512', 'SHA-256', 'SHA-1'] as const) {
    expect((await scram2(connect(), { ...right, hash }, want('SHA-256'))).name).toBe('success');
  }
  expect(server.log.filter(({ event }) => event === 'account.upgraded').map(({ hash }) => hash)).toEqual([
    'SHA-512',
    'SHA-256',
  ]);
});

test('whoever does not ask for it, or logs in by PLAIN, is not asked for anything', async () => {
  expect((await scram2(connect(), right)).name).toBe('success');
  expect((await plain2(connect(), 'juliet', 'secret', want('SHA-256'))).name).toBe('success');
  // the password itself made them
  expect((await scram2(connect(), { ...right, hash: 'SHA-512' }, want('SHA-512'))).name).toBe('success');
});

test.each([
  ['nothing', '', 'malformed-request'],
  ['one of another hash', Buffer.alloc(64).toString('base64'), 'malformed-request'],
  ['no base64', '!', 'incorrect-encoding'],
])('%s is no salted password, and nothing is kept', async (_, hash, condition) => {
  const client = connect();
  await scram2(client, right, want('SHA-256'));
  await next(client, 'SHA-256');
  expect(conditionOf(await hand(client, hash))).toBe(condition);
  expect(await isIn(client)).toBe(false);
  expect((await server.keyspace.hgetall(accountKeys.key('juliet@localhost'))).has('SHA-256')).toBe(false);
});

test('a password that is changed meanwhile is not undone', async () => {
  const client = connect();
  await scram2(client, right, want('SHA-256'));
  await server.accounts.setPassword?.(juliet, 'another');
  await server.keyspace.hdel(accountKeys.key('juliet@localhost'), 'SHA-256');
  expect(conditionOf(await give(client, 'SHA-256'))).toBe('temporary-auth-failure');
  expect((await server.keyspace.hgetall(accountKeys.key('juliet@localhost'))).has('SHA-256')).toBe(false);
});

test.each([
  ['where users may not change their passwords', { registration: { passwordChange: false } }],
  ['where the mechanism is not offered', { authentication: { mechanisms: ['SCRAM-SHA-1'] } }],
])('%s nothing is announced or asked for', async (_, config) => {
  await start(config);
  const offer = await offerOf(connect());
  expect(offer.elements.filter(({ ns }) => ns === NS.saslUpgrade)).toEqual([]);
  expect((await scram2(connect(), right, want('SHA-256', 'SHA-512'))).name).toBe('success');
});
