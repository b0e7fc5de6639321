import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { Directory389 } from '../services/directory-389.ts';
import type { TestClient } from '../support/client.ts';
import { outcomeOf, plain } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { login, stranger } from './server.ts';

const start = (directory: Directory389, passwords: object, more: object = {}): Promise<TestServer> =>
  startServer({
    config: {
      authentication: { accounts: ['corp'] },
      limits: { logins: { delaySeconds: 0, failuresPerAddress: 1000, failuresPerAccountAndAddress: 1000 } },
      directories: [directory.configured({ passwords, ...more })],
    } as never,
  });

async function session(server: TestServer, password: string): Promise<TestClient> {
  const client = stranger(server);
  expect((await plain(client, 'romeo', password)).name).toBe('success');
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  return client;
}

test('people of a real 389 DS log in, and are kept out as their entries say', async () => {
  const directory = await Directory389.start();
  for (const uid of ['romeo', 'juliet']) await directory.addPerson(uid);
  const server = await start(directory, { scram: 'learn' });
  expect(await login(server, 'romeo', 'pw-romeo')).toEqual(['success', '']);
  expect(await login(server, 'romeo', 'wrong')).toEqual(['not-authorized', '']);
  expect(await login(server, 'nobody', 'wrong')).toEqual(['not-authorized', '']);

  const lock = (state: string) =>
    directory.change(
      `dn: ${Directory389.dn('juliet')}\nchangetype: modify\nreplace: nsAccountLock\nnsAccountLock: ${state}\n`,
    );
  await lock('true');
  expect(await login(server, 'juliet', 'wrong')).toEqual(['not-authorized', '']);
  await lock('false');
  expect((await login(server, 'juliet', 'pw-juliet'))[0]).toBe('success');

  const client = await session(server, 'pw-romeo');
  // it changes passwords over encrypted connections alone
  expect(outcomeOf(await client.request('set', passwordChange('a-new-one')))).toBe('not-allowed');
  expect(server.log.find(({ event }) => event === 'directory.password-refused')?.message).toMatch(/encrypted/);
});

/** With the old password by a form, without it by two elements. */
function passwordChange(password: string, old?: string): string {
  if (old === undefined) {
    return `<query xmlns='${NS.register}'><username>romeo</username><password>${password}</password></query>`;
  }
  const values = { FORM_TYPE: `${NS.register}:changepassword`, username: 'romeo', old_password: old, password };
  const fields = Object.entries(values).map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`);
  return `<query xmlns='${NS.register}'><x xmlns='${NS.dataForms}' type='submit'>${fields.join('')}</x></query>`;
}

test('people of a real 389 DS change their passwords, and read what its policy has against one', async () => {
  const directory = await Directory389.start({ tls: true });
  await directory.addPerson('romeo');
  await directory.change(
    'dn: cn=config\nchangetype: modify\nreplace: passwordCheckSyntax\npasswordCheckSyntax: on\n-\nreplace: passwordMinLength\npasswordMinLength: 12\n',
  );
  const encrypted = { startTls: true, authorities: directory.authorities };
  const server = await start(directory, { change: 'person' }, encrypted);
  const romeo = await session(server, 'pw-romeo');
  expect(outcomeOf(await romeo.request('set', passwordChange('Long-enough-for-that-1', 'pw-romeo')))).toBe(
    'not-allowed',
  );
  const [line] = server.log.filter(({ event }) => event === 'directory.password-refused');
  expect(line?.message).toMatch(/^Allow people to change their own password/);
  await directory.change(
    `dn: ${Directory389.people}\nchangetype: modify\nadd: aci\naci: (targetattr="userPassword")(version 3.0; acl "own password"; allow (write) userdn="ldap:///self";)\n`,
  );
  const refused = await romeo.request('set', passwordChange('short', 'pw-romeo'));
  expect(outcomeOf(refused)).toBe('not-acceptable');
  expect(refused.child('error')?.childText('text', NS.stanzas)).toMatch(
    /^The password is not good enough for the directory/,
  );
  expect(outcomeOf(await romeo.request('set', passwordChange('Long-enough-for-that-1', 'pw-romeo')))).toBe('result');
  expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('not-authorized');
  const another = await start(directory, { change: 'service' }, encrypted);
  const again = await session(another, 'Long-enough-for-that-1');
  expect(outcomeOf(await again.request('set', passwordChange('Long-enough-again-2')))).toBe('result');
  expect((await login(another, 'romeo', 'Long-enough-again-2'))[0]).toBe('success');
});
