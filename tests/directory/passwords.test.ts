import { rudeServer } from '@parley/server/auth/ldap/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, POLICIES, personDn, SERVICE } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { plain } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;
let server: TestServer;

beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

beforeEach(async () => {
  server = await startDirectoryServer(slapd);
});

const BIND = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`;
const follow = (uid: string, policy: string) =>
  slapd.modify(personDn(uid), { pwdPolicySubentry: [`cn=${policy},${POLICIES}`] });

/** Logs in and binds a resource. */
async function bound(username: string, password: string): Promise<TestClient> {
  const client = stranger(server);
  expect((await plain(client, username, password)).name).toBe('success');
  expect((await client.request('set', BIND)).attr('type')).toBe('result');
  return client;
}

const notice = async (client: TestClient) => (await client.take(({ name }) => name === 'message')).childText('body');

test('a person of the directory logs in with the password that the directory has', async () => {
  expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
  await bound('romeo', 'pw-romeo');
});

test.each([
  ['a wrong password', 'romeo', 'wrong'],
  ['nobody', 'rosaline', 'pw-rosaline'],
  ['a name with what is special in filters', '*', 'pw-romeo'],
  ['a name with what is special in DNs', 'romeo,ou=people', 'pw-romeo'],
  ['the account of Parley itself', 'parley', SERVICE.password],
])('%s gets in nobody, and is told nothing', async (_, username, password) => {
  expect(await login(server, username, password)).toEqual(['not-authorized', '']);
});

test('PLAIN is all that is offered where the directory has the passwords alone', async () => {
  expect([...server.accounts.mechanisms('localhost')]).toEqual(['PLAIN']);
  const client = stranger(server);
  client.send(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>biwsbj1yb21lbyxyPXg=</auth>`);
  expect((await client.take(({ name }) => name === 'failure')).firstChild?.name).toBe('invalid-mechanism');
});

test('another server, to which the directory refers, is not asked', async () => {
  const other = await rudeServer();
  const dn = `ou=elsewhere,${PEOPLE}`;
  const referral = `dn: ${dn}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ${other.url}/${dn}\n\n`;
  const referring = await Slapd.start({ ldif: referral });
  server = await startDirectoryServer(referring);
  await expect.poll(() => server.log.some(({ event }) => event === 'directory.followed')).toBe(true);
  expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
  expect(await login(server, 'rosaline', 'pw-rosaline')).toEqual(['not-authorized', '']);
  expect(other.taken).toEqual([]);
});

describe('the password policy', () => {
  test('of somebody who is locked is told to nobody, since the password is not looked at', async () => {
    await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
    expect(await login(server, 'tybalt', 'pw-tybalt')).toEqual(['not-authorized', '']);
    expect(await login(server, 'tybalt', 'wrong')).toEqual(['not-authorized', '']);
  });

  test('of somebody who is locked is told, where the operator wants it so', async () => {
    server = await startDirectoryServer(slapd, { directory: { passwords: { tellLocked: true, help: 'Call 1234.' } } });
    await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
    const [condition, text] = await login(server, 'tybalt', 'pw-tybalt');
    expect(condition).toBe('account-disabled');
    expect(text).toMatch(/locked.*Call 1234\.$/);
    await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: [] });
    expect(await login(server, 'tybalt', 'pw-tybalt')).toEqual(['success', '']);
  });

  test('of a password that has expired is told to who knows it', async () => {
    await follow('mercutio', 'expired');
    await slapd.modify(personDn('mercutio'), { userPassword: ['old-one'] });
    await waitUntilExpired();
    const [condition, text] = await login(server, 'mercutio', 'old-one');
    expect(condition).toBe('credentials-expired');
    expect(text).toMatch(/expired/);
    expect(await login(server, 'mercutio', 'wrong')).toEqual(['not-authorized', '']);
  });

  test('of a password that has expired lets in some times, and says how often', async () => {
    await follow('benvolio', 'expiring');
    await slapd.modify(personDn('benvolio'), { userPassword: ['old-one'] });
    await waitUntilExpired();
    expect(await notice(await bound('benvolio', 'old-one'))).toMatch(/has expired.*once more/);
    expect(await notice(await bound('benvolio', 'old-one'))).toMatch(/has expired.*last time/);
    expect((await login(server, 'benvolio', 'old-one'))[0]).toBe('credentials-expired');
  });

  test('of a password that will expire is told after the login', async () => {
    await follow('nurse', 'warning');
    await slapd.modify(personDn('nurse'), { userPassword: ['new-one'] });
    await waitUntilExpired();
    expect(await notice(await bound('nurse', 'new-one'))).toMatch(/expires within two hours/);
  });

  test('of a password that must be changed is told to who knows it', async () => {
    await follow('juliet', 'must-change');
    await slapd.modify(personDn('juliet'), { pwdReset: ['TRUE'] });
    const [condition, text] = await login(server, 'juliet', 'pw-juliet');
    expect(condition).toBe('credentials-expired');
    expect(text).toMatch(/has to be changed/);
    expect(await login(server, 'juliet', 'wrong')).toEqual(['not-authorized', '']);
    await slapd.modify(personDn('juliet'), { pwdReset: [] });
    expect(await login(server, 'juliet', 'pw-juliet')).toEqual(['success', '']);
  });
});

/** Passwords are good for one second there, which the directory counts by its own clock. */
async function waitUntilExpired(): Promise<void> {
  const until = Date.now() + 2100;
  while (Date.now() < until) await slapd.modify(personDn('romeo'), { description: ['time passes'] });
}
