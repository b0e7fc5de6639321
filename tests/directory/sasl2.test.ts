import { pbkdf2Sync } from 'node:crypto';
import { accountKeys } from '@parley/server/auth/account-store';
import { clientCertificate, xmppAddress } from '@parley/server/stream/testing';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { POLICIES, personDn, personEntry } from '../services/slapd-files.ts';
import { bearer, bearer2 } from '../support/bearer.ts';
import type { TestClient } from '../support/client.ts';
import { TestProvider } from '../support/identity-provider.ts';
import { conditionOf, isIn, streamError } from '../support/login.ts';
import {
  AGENT,
  addressIn,
  authenticate,
  offerOf,
  plain2,
  said,
  scram2,
  show,
  tokenIn,
  wantToken,
} from '../support/sasl2.ts';
import type { TestServer } from '../support/server.ts';
import { startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;

beforeAll(async () => {
  // people whose passwords are old ones
  const old = (uid: string) => `${personEntry(uid, 'Verona').trimEnd()}\npwdChangedTime: 20200101000000Z\n\n`;
  const yearly =
    `dn: cn=yearly,${POLICIES}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: yearly\npwdAttribute: userPassword\n` +
    'pwdMaxAge: 31536000\npwdMinLength: 8\npwdCheckQuality: 2\npwdInHistory: 2\npwdLockout: FALSE\n\n';
  slapd = await Slapd.startLasting({ ldif: yearly + ['friar', 'escalus', 'abram', 'sampson'].map(old).join('') });
  for (const uid of ['friar', 'escalus', 'abram']) await follow(uid, 'yearly');
});
afterAll(() => slapd.end());

const start = (passwords: object = {}, config: object = {}) =>
  startDirectoryServer(slapd, { directory: { passwords }, config });
const follow = (uid: string, policy: string) =>
  slapd.modify(personDn(uid), { pwdPolicySubentry: [`cn=${policy},${POLICIES}`] });
const must = async (uid: string) => {
  await follow(uid, 'must-change');
  await slapd.modify(personDn(uid), { pwdReset: ['TRUE'] });
};

const WANT = `<upgrade xmlns='${NS.saslUpgrade}'>CHANGE-PASSWORD</upgrade>`;
const words = (element: Element) => element.childText('text') ?? '';

async function form(client: TestClient): Promise<string[] | undefined> {
  client.send(`<next xmlns='${NS.sasl2}' task='CHANGE-PASSWORD'/>`);
  return (await said(client)).child('x', NS.dataForms)?.elements.flatMap((field) => field.attr('var') ?? []);
}

function fill(client: TestClient, username: string, password: string, old?: string): Promise<Element> {
  const field = (name: string, value: string) => `<field var='${name}'><value>${value}</value></field>`;
  const fields =
    field('FORM_TYPE', 'jabber:iq:register:changepassword') +
    field('username', username) +
    (old === undefined ? '' : field('old_password', old)) +
    field('password', password);
  client.send(`<task-data xmlns='${NS.sasl2}'><x xmlns='${NS.dataForms}' type='submit'>${fields}</x></task-data>`);
  return said(client);
}

const login = async (server: TestServer, username: string, password: string) =>
  conditionOf(await plain2(stranger(server), username, password));

describe('people of the directory', () => {
  test('log in by PLAIN, and are told nothing with a wrong password', async () => {
    const server = await start();
    expect(addressIn(await plain2(stranger(server), 'romeo', 'pw-romeo'))).toBe('romeo@localhost');
    for (const username of ['romeo', 'rosaline']) expect(await login(server, username, 'wrong')).toBe('not-authorized');
  });

  test('log in by a token of an identity provider, as long as the directory has them, and they may', async () => {
    const provider = await TestProvider.start();
    const config = { authentication: { mechanisms: ['OAUTHBEARER', 'PLAIN'] } };
    const identityProviders = [provider.signed({ account: { claim: 'mail' } })];
    const server = await start({}, { ...config, identityProviders });
    const token = (uid: string) => provider.token({ mail: `${uid}@localhost` });
    const bind = `<bind xmlns='${NS.bind2}'/>`;
    const client = stranger(server);
    const { end } = await bearer2(client, await token('benvolio'), AGENT + wantToken() + bind);
    expect(addressIn(end)).toMatch(/^benvolio@localhost\//);
    expect((await bearer(stranger(server), await token('rosaline'))).end.firstChild?.name).toBe('not-authorized');
    await slapd.modify(personDn('benvolio'), { pwdAccountLockedTime: ['000001010000Z'] });
    expect(await streamError(client)).toBe('not-authorized');
    expect(conditionOf((await bearer(stranger(server), await token('benvolio'))).end)).toBe('account-disabled');
    const ours = await show(stranger(server), tokenIn(end) ?? '', { username: 'benvolio' });
    expect(conditionOf(ours)).toBe('not-authorized');
    await slapd.modify(personDn('benvolio'), { pwdAccountLockedTime: [] });
  });

  test('log in by SCRAM with what was learnt, and bound to the channel', async () => {
    const server = await start({ scram: 'learn' });
    for (let i = 0; i < 2; i++) expect(await login(server, 'romeo', 'pw-romeo')).toBe('success');
    const bindingData = Buffer.from('what this very connection exports');
    const client = stranger(server, (transport) => void transport.bindings.set('tls-exporter', bindingData));
    const attempt = { username: 'romeo', password: 'pw-romeo', hash: 'SHA-256', plus: true } as const;
    const success = await scram2(client, { ...attempt, header: 'p=tls-exporter,,', bindingData });
    expect(addressIn(success)).toBe('romeo@localhost');
    expect(await isIn(client)).toBe(true);
  });

  test('log in as the directory speaks SCRAM itself', async () => {
    const server = await start({ scram: 'relay', hashes: ['SHA-256'] });
    const client = stranger(server);
    await slapd.modify(personDn('nurse'), { userPassword: ['in-clear-text'] });
    const answer = await scram2(client, { username: 'nurse', password: 'in-clear-text', hash: 'SHA-256' });
    expect(conditionOf(answer)).toBe('success');
    expect(conditionOf(await scram2(stranger(server), { username: 'nurse', password: 'wrong', hash: 'SHA-256' }))).toBe(
      'not-authorized',
    );
  });
});

describe('a password that has to be changed', () => {
  test('is changed with the login, as the person, so that the policy is content with it', async () => {
    const server = await start();
    await must('juliet');
    const client = stranger(server);
    const offered = (await offerOf(client)).elements.filter(({ ns }) => ns === NS.saslUpgrade);
    expect(offered.map(({ text }) => text)).toEqual(['CHANGE-PASSWORD']);
    const first = await plain2(client, 'juliet', 'pw-juliet', WANT);
    expect([first.name, words(first)]).toEqual(['continue', expect.stringMatching(/has to be changed/)]);
    expect(await form(client)).toEqual(['FORM_TYPE', 'username', 'password']);
    expect(addressIn(await fill(client, 'juliet', 'a-new-one'))).toBe('juliet@localhost');
    expect(await isIn(client)).toBe(true);
    expect(await login(server, 'juliet', 'pw-juliet')).toBe('not-authorized');
    expect(await login(server, 'juliet', 'a-new-one')).toBe('success');
  });

  test('is told to have expired to those who do not ask for the task, and to nobody with a wrong one', async () => {
    const server = await start();
    await must('tybalt');
    const failure = await plain2(stranger(server), 'tybalt', 'pw-tybalt');
    expect([conditionOf(failure), words(failure)]).toEqual([
      'credentials-expired',
      expect.stringMatching(/has to be changed/),
    ]);
    for (const username of ['tybalt', 'rosaline']) {
      const wrong = await plain2(stranger(server), username, 'wrong', WANT);
      expect([conditionOf(wrong), words(wrong)]).toEqual(['not-authorized', '']);
    }
  });

  test('stays what it is where the task is broken off, or gone past', async () => {
    const server = await start();
    await must('benvolio');
    for (const say of [`<abort xmlns='${NS.sasl2}'/>`, `<response xmlns='${NS.sasl2}'/>`]) {
      const client = stranger(server);
      await plain2(client, 'benvolio', 'pw-benvolio', WANT);
      client.send(say);
      expect((await said(client)).name).toBe('failure');
      expect(await isIn(client)).toBe(false);
    }
    expect(await login(server, 'benvolio', 'pw-benvolio')).toBe('credentials-expired');
  });

  test('is asked for by SCRAM, too, with the old one, which the server does not have', async () => {
    const server = await start({ scram: 'learn' });
    for (let i = 0; i < 2; i++) expect(await login(server, 'sampson', 'pw-sampson')).toBe('success');
    await must('sampson');
    const attempt = { username: 'sampson', password: 'pw-sampson', hash: 'SHA-256' } as const;
    await expect.poll(async () => conditionOf(await scram2(stranger(server), attempt))).toBe('credentials-expired');
    const client = stranger(server);
    expect((await scram2(client, attempt, WANT)).name).toBe('continue');
    expect(await form(client)).toContain('old_password');
    const wrong = await fill(client, 'sampson', 'a-new-one', 'wrong');
    expect([conditionOf(wrong), words(wrong)]).toEqual(['not-authorized', 'The old password is wrong.']);
    const again = stranger(server);
    await scram2(again, attempt, WANT);
    await form(again);
    expect(addressIn(await fill(again, 'sampson', 'a-new-one', 'pw-sampson'))).toBe('sampson@localhost');
  });
});

describe('a password that has expired', () => {
  test('is changed with the login, and what the policy has against the new one comes back in its words', async () => {
    const server = await start();
    const client = stranger(server);
    expect((await plain2(client, 'friar', 'pw-friar', WANT)).name).toBe('continue');
    await form(client);
    const short = await fill(client, 'friar', 'short');
    expect(conditionOf(short)).toBe('credentials-expired');
    expect(words(short)).toMatch(/^The password is (too short|not good enough) for the directory/);
    expect(await login(server, 'friar', 'pw-friar')).toBe('credentials-expired');
    // the same client asks its user for another one
    expect((await plain2(client, 'friar', 'pw-friar', WANT)).name).toBe('continue');
    await form(client);
    expect(addressIn(await fill(client, 'friar', 'long-enough-for-that'))).toBe('friar@localhost');
    expect(await isIn(client)).toBe(true);
    expect(await login(server, 'friar', 'long-enough-for-that')).toBe('success');
  });

  test.each([
    ['the person alone may change it, who cannot log in to the directory by it', { change: 'person' }],
    ['it is not changed here', { change: 'none' }],
  ])('is told where %s', async (_, passwords) => {
    const server = await start(passwords);
    const failure = await plain2(stranger(server), 'escalus', 'pw-escalus', WANT);
    expect(conditionOf(failure)).toBe('credentials-expired');
    expect(await login(server, 'escalus', 'pw-escalus')).toBe('credentials-expired');
  });

  test('is not changed by who has shown a certificate, and no password', async () => {
    const server = await start(
      {},
      { authentication: { mechanisms: ['EXTERNAL', 'PLAIN'] }, tls: { clientAuthorities: slapd.authorities } },
    );
    const { der } = await clientCertificate(xmppAddress('escalus@localhost'));
    const client = stranger(server, (transport) => {
      transport.peerCertificate = der;
    });
    authenticate(client, 'EXTERNAL', '', WANT);
    expect(conditionOf(await said(client))).toBe('credentials-expired');
    expect(await isIn(client)).toBe(false);
  });

  test('of somebody who is disabled is not changed', async () => {
    const server = await start();
    await slapd.modify(personDn('abram'), { pwdAccountLockedTime: ['000001010000Z'] });
    expect(conditionOf(await plain2(stranger(server), 'abram', 'pw-abram', WANT))).toBe('account-disabled');
    expect(conditionOf(await plain2(stranger(server), 'abram', 'wrong', WANT))).toBe('not-authorized');
  });
});

test('verifiers are brought by those alone whose accounts the server keeps, though all are asked', async () => {
  const server = await start(
    { scram: 'learn' },
    { authentication: { accounts: ['internal', 'corp'], iterations: 5000 } },
  );
  const want = `<upgrade xmlns='${NS.saslUpgrade}'>UPGR-SCRAM-SHA-256</upgrade>`;
  await server.account('guest@localhost');
  await server.keyspace.hdel(accountKeys.key('guest@localhost'), 'SHA-256');
  server.accounts.changedElsewhere?.({ account: Jid.parse('guest@localhost'), change: 'upgraded', source: 'internal' });
  const client = stranger(server);
  expect((await scram2(client, { username: 'guest', password: 'secret', hash: 'SHA-512' }, want)).name).toBe(
    'continue',
  );
  client.send(`<next xmlns='${NS.sasl2}' task='UPGR-SCRAM-SHA-256'/>`);
  const salt = (await said(client)).child('salt', NS.scramUpgrade);
  const salted = pbkdf2Sync('secret', Buffer.from(salt?.text ?? '', 'base64'), 5000, 32, 'sha256').toString('base64');
  client.send(`<task-data xmlns='${NS.sasl2}'><hash xmlns='${NS.scramUpgrade}'>${salted}</hash></task-data>`);
  expect(addressIn(await said(client))).toBe('guest@localhost');
  for (let i = 0; i < 2; i++) expect(await login(server, 'romeo', 'pw-romeo')).toBe('success');
  const romeo = await scram2(stranger(server), { username: 'romeo', password: 'pw-romeo', hash: 'SHA-512' }, want);
  expect(romeo.name).toBe('success');
});

describe('a token of somebody in the directory', () => {
  const showing = { username: 'tybalt' };
  const given = async (server: TestServer, password: string) =>
    tokenIn(await plain2(stranger(server), 'tybalt', password, AGENT + wantToken())) ?? '';
  const outcome = async (server: TestServer, token: string) =>
    conditionOf(await show(stranger(server), token, showing));

  test('is good until the password is changed there, by whomever', async () => {
    await slapd.modify(personDn('tybalt'), { userPassword: ['first'], pwdReset: [] });
    const server = await start();
    const token = await given(server, 'first');
    for (let i = 0; i < 2; i++) expect(await outcome(server, token)).toBe('success');
    // the directory counts whole seconds
    const second = Math.floor(Date.now() / 1000);
    while (Math.floor(Date.now() / 1000) < second + 2) await slapd.modify(personDn('romeo'), { description: ['x'] });
    await slapd.modify(personDn('tybalt'), { userPassword: ['second'], pwdReset: [] });
    expect(await outcome(server, token)).toBe('credentials-expired');
    expect(await outcome(server, await given(server, 'second'))).toBe('success');
  });

  test.each([
    ['locked there', { pwdAccountLockedTime: ['000001010000Z'] }, { pwdAccountLockedTime: [] }],
    ['told to change the password', { pwdReset: ['TRUE'] }, { pwdReset: [] }],
  ])('ends when they are %s, and is good for nothing afterwards', async (_, change, undo) => {
    await slapd.modify(personDn('tybalt'), { userPassword: ['third'], pwdReset: [] });
    const server = await start();
    const token = await given(server, 'third');
    expect(await outcome(server, token)).toBe('success');
    await slapd.modify(personDn('tybalt'), change);
    expect(await outcome(server, token)).not.toBe('success');
    await expect.poll(() => outcome(server, token)).toBe('not-authorized');
    await slapd.modify(personDn('tybalt'), undo);
    expect(await outcome(server, token)).toBe('not-authorized');
  });
});
