// Not a real Active Directory, but something that answers as it does.
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, test } from 'vitest';
import { ActiveDirectory, adTime } from '../services/active-directory.ts';
import { conditionOf, outcomeOf, plain, scram } from '../support/login.ts';
import { addressIn, plain2, said } from '../support/sasl2.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { login, stranger } from './server.ts';

let directory: ActiveDirectory;
let server: TestServer;

beforeEach(async () => {
  directory = await ActiveDirectory.start();
  for (const name of ['romeo', 'juliet']) directory.addPerson(name, { mail: `${name}@localhost` });
  server = await start();
});

function start(passwords: object = {}): Promise<TestServer> {
  const { dn, password } = ActiveDirectory.service;
  return startServer({
    config: {
      authentication: { accounts: ['ad'] },
      limits: { logins: { delaySeconds: 0 } },
      directories: [
        {
          name: 'ad',
          type: 'activeDirectory',
          servers: [directory.url],
          startTls: false,
          allowUnencrypted: true,
          bind: { dn, password },
          people: { base: ActiveDirectory.people },
          passwords: { scram: 'learn', ...passwords },
        },
      ],
    } as never,
  });
}

test.each([
  ['is disabled', { userAccountControl: '514' }, 'account-disabled', /disabled/],
  ['has an end that is over', { accountExpires: adTime(Date.now() - 1000) }, 'account-disabled', /disabled/],
  ['has a password that has expired', { expiredPassword: 'yes' }, 'credentials-expired', /expired/],
  ['has to change the password', { pwdLastSet: '0' }, 'credentials-expired', /has to be changed/],
  ['is locked', { lockoutTime: adTime(Date.now()) }, 'not-authorized', /^$/],
])('somebody who %s is told so, once the password is right', async (_, change, expected, words) => {
  expect(await login(server, 'juliet', 'pw-juliet')).toEqual(['success', '']);
  directory.change('romeo', change);
  const [condition, text] = await login(server, 'romeo', 'pw-romeo');
  expect(condition).toBe(expected);
  expect(text).toMatch(words);
  expect(await login(server, 'romeo', 'wrong')).toEqual(['not-authorized', '']);
  expect(await login(server, 'nobody', 'wrong')).toEqual(['not-authorized', '']);
});

test('somebody who is locked is told so where a login before has taught the password', async () => {
  await login(server, 'romeo', 'pw-romeo');
  directory.change('romeo', { lockoutTime: adTime(Date.now()) });
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('account-disabled');
  expect(await login(server, 'romeo', 'wrong')).toEqual(['not-authorized', '']);
});

test('SCRAM works with what was learnt, for as long as the password stays', async () => {
  const attempt = { username: 'romeo', password: 'pw-romeo', hash: 'SHA-512' } as const;
  await login(server, 'romeo', 'pw-romeo');
  expect((await scram(stranger(server), attempt)).name).toBe('success');
  directory.setPassword(directory.find('romeo'), 'another');
  expect((await scram(stranger(server), attempt)).name).toBe('failure');
});

test('passwords are changed, and what is against one comes back in words', async () => {
  const client = stranger(server);
  await plain(client, 'romeo', 'pw-romeo');
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  const change = (password: string) =>
    client.request(
      'set',
      `<query xmlns='${NS.register}'><username>romeo</username><password>${password}</password></query>`,
    );
  const refused = await change('x');
  expect(outcomeOf(refused)).toBe('not-acceptable');
  expect(refused.child('error')?.childText('text', NS.stanzas)).toMatch(/^The password is too short/);
  expect(outcomeOf(await change('a-new-and-long-one'))).toBe('result');
  expect((await login(server, 'romeo', 'a-new-and-long-one'))[0]).toBe('success');
});

test.each([
  ['has to be changed', { pwdLastSet: '0' }],
  ['has expired', { expiredPassword: 'yes', 'msDS-UserPasswordExpiryTimeComputed': adTime(Date.now() - 1000) }],
])('a password that %s is changed with the login, by the old one', async (_, change) => {
  const own = await start({ change: 'person' });
  directory.change('romeo', change);
  const want = `<upgrade xmlns='${NS.saslUpgrade}'>CHANGE-PASSWORD</upgrade>`;
  const changed = async (password: string) => {
    const client = stranger(own);
    expect((await plain2(client, 'romeo', 'pw-romeo', want)).name).toBe('continue');
    client.send(`<next xmlns='${NS.sasl2}' task='CHANGE-PASSWORD'/>`);
    await said(client);
    const values = { FORM_TYPE: 'jabber:iq:register:changepassword', username: 'romeo', password };
    const fields = Object.entries(values).map(([name, text]) => `<field var='${name}'><value>${text}</value></field>`);
    client.send(
      `<task-data xmlns='${NS.sasl2}'><x xmlns='${NS.dataForms}' type='submit'>${fields.join('')}</x></task-data>`,
    );
    return await said(client);
  };
  const refused = await changed('x');
  expect([conditionOf(refused), refused.childText('text')]).toEqual([
    'credentials-expired',
    expect.stringMatching(/^The password is too short/),
  ]);
  expect(addressIn(await changed('a-new-and-long-one'))).toBe('romeo@localhost');
  expect(directory.find('romeo').password).toBe('a-new-and-long-one');
  expect((await login(own, 'romeo', 'pw-romeo'))[0]).toBe('not-authorized');
});

test('somebody who is disabled there is logged out here, and told why', async () => {
  const client = stranger(server);
  await plain(client, 'romeo', 'pw-romeo');
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  directory.disable('romeo');
  const error = await client.take(({ name }) => name === 'error');
  expect(error.firstChild?.name).toBe('not-authorized');
  expect(error.childText('text', NS.streamErrors)).toMatch(/disabled in the directory/);
});
