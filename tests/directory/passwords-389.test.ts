import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { Directory389 } from '../services/directory-389.ts';
import { outcomeOf, plain } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { login, stranger } from './server.ts';

const start = (directory: Directory389, passwords: object): Promise<TestServer> =>
  startServer({
    config: {
      authentication: { accounts: ['corp'] },
      limits: { logins: { delaySeconds: 0, failuresPerAddress: 1000, failuresPerAccountAndAddress: 1000 } },
      directories: [
        {
          name: 'corp',
          type: '389ds',
          servers: [directory.url],
          startTls: false,
          allowUnencrypted: true,
          bind: Directory389.manager,
          people: { base: Directory389.people },
          passwords,
        },
      ],
    } as never,
  });

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

  const client = stranger(server);
  await plain(client, 'romeo', 'pw-romeo');
  await client.request('set', `<bind xmlns='${NS.bind}'/>`);
  const query = `<query xmlns='${NS.register}'><username>romeo</username><password>a-new-one</password></query>`;
  // it changes passwords over encrypted connections alone
  expect(outcomeOf(await client.request('set', query))).toBe('not-allowed');
  expect(server.log.find(({ event }) => event === 'directory.password-refused')?.message).toMatch(/encrypted/);
});
