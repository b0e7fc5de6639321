import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { personDn, personEntry } from '../services/slapd-files.ts';
import { features, isIn, mechanismsOf, outcomeOf, plain, scram } from '../support/login.ts';
import type { TestServer } from '../support/server.ts';
import { login, startDirectoryServer, stranger } from './server.ts';

let slapd: Slapd;

beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

const BIND = `<bind xmlns='${NS.bind}'/>`;
const credentials = (username: string, password: string) =>
  `<query xmlns='${NS.register}'><username>${username}</username><password>${password}</password></query>`;

async function sessionOf(server: TestServer, username: string, password: string) {
  const client = stranger(server);
  await plain(client, username, password);
  await client.request('set', BIND);
  return client;
}

describe('a domain whose accounts come from several sources', () => {
  const start = (accounts: string[], scram = 'learn') =>
    startDirectoryServer(slapd, {
      directory: { passwords: { scram } },
      config: { authentication: { accounts, iterations: 4096 }, registration: { inBand: true } } as never,
    });

  test('has those of each, and the first one decides', async () => {
    const server = await start(['internal', 'corp']);
    await server.accounts.create?.(Jid.parse('rosaline@localhost'), 'own');
    expect((await login(server, 'rosaline', 'own'))[0]).toBe('success');
    expect((await login(server, 'romeo', 'pw-romeo'))[0]).toBe('success');
    await expect(server.accounts.create?.(Jid.parse('romeo@localhost'), 'own')).rejects.toMatchObject({
      condition: 'conflict',
    });
    expect((await scram(stranger(server), { username: 'rosaline', password: 'own', hash: 'SHA-256' })).name).toBe(
      'success',
    );
    expect((await scram(stranger(server), { username: 'romeo', password: 'pw-romeo', hash: 'SHA-256' })).name).toBe(
      'success',
    );
  });

  test('lets strangers register where it keeps accounts itself, and under no name that is taken', async () => {
    const server = await start(['corp', 'internal']);
    expect(outcomeOf(await stranger(server).request('set', credentials('romeo', 'mine')))).toBe('conflict');
    expect(outcomeOf(await stranger(server).request('set', credentials('paris', 'mine')))).toBe('result');
    expect((await login(server, 'paris', 'mine'))[0]).toBe('success');
  });

  test('logs out whoever had an address of its own that the directory gives to somebody', async () => {
    const server = await start(['corp', 'internal']);
    await expect.poll(() => server.log.some(({ event }) => event === 'directory.followed')).toBe(true);
    for (const name of ['escalus', 'sampson']) await server.accounts.create?.(Jid.parse(`${name}@localhost`), 'mine');
    const [escalus, sampson] = [await sessionOf(server, 'escalus', 'mine'), await sessionOf(server, 'sampson', 'mine')];
    await slapd.change(personEntry('escalus', 'Prince'));
    const error = await escalus.take(({ name }) => name === 'error');
    expect(error.childText('text', NS.streamErrors)).toBe('This address is that of another account now.');
    expect((await login(server, 'escalus', 'mine'))[0]).toBe('not-authorized');
    const prince = await sessionOf(server, 'escalus', 'pw-escalus');
    await slapd.modify(personDn('escalus'), { description: ['Prince of Verona'] });
    for (const client of [prince, sampson]) {
      expect((await client.sync()).map(({ name }) => name)).not.toContain('error');
    }
    await slapd.remove(personDn('escalus'));
  });

  test('offers no registration where the directory alone has them', async () => {
    const server = await start(['corp']);
    const client = stranger(server);
    expect((await features(client)).child('register', NS.registerFeature)).toBeUndefined();
    expect(outcomeOf(await client.request('set', credentials('paris', 'mine')))).toBe('service-unavailable');
  });

  test('offers what all of them can do', async () => {
    const server = await start(['internal', 'corp'], 'none');
    expect(mechanismsOf(await features(stranger(server)))).toEqual(['PLAIN']);
  });
});

test('one directory has the people of several domains, each by the address that the entry has', async () => {
  const both = [`mail: gertrude@denmark.lit\nmail: gertrude@localhost\n`, `mail: nobody@elsewhere.example\n`];
  const ldif = ['gertrude', 'osric'].map((uid, index) =>
    personEntry(uid, 'Denmark').replace(`mail: ${uid}@localhost\n`, both[index] ?? ''),
  );
  await slapd.change(ldif.join(''));
  const domains = ['localhost', 'denmark.lit', { name: 'other.lit', accounts: ['internal'] }];
  const server = await startDirectoryServer(slapd, { config: { domains } as never });
  const outcome = async (username: string, domain: string) => {
    const client = server.connect();
    client.open(domain);
    const answer = await plain(client, username, `pw-${username}`);
    return answer.name === 'failure' ? answer.firstChild?.name : answer.name;
  };
  expect(await outcome('romeo', 'localhost')).toBe('success');
  expect(await outcome('romeo', 'denmark.lit')).toBe('not-authorized');
  expect(await outcome('gertrude', 'denmark.lit')).toBe('success');
  expect(await outcome('gertrude', 'localhost')).toBe('not-authorized'); // the first address counts
  expect(await outcome('osric', 'localhost')).toBe('not-authorized');
  expect(await outcome('romeo', 'other.lit')).toBe('not-authorized');
  for (const uid of ['gertrude', 'osric']) await slapd.remove(personDn(uid));
});

describe('somebody who is logged in', () => {
  const session = (server: TestServer, username: string) => sessionOf(server, username, `pw-${username}`);

  test('is logged out soon after having been disabled in the directory, and told why', async () => {
    const server = await startDirectoryServer(slapd);
    const tybalt = await session(server, 'tybalt');
    const unbound = stranger(server);
    await plain(unbound, 'tybalt', 'pw-tybalt');
    const begun = performance.now();
    await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
    for (const client of [tybalt, unbound]) {
      const error = await client.take(({ name }) => name === 'error');
      expect(error.firstChild?.name).toBe('not-authorized');
      expect(error.childText('text', NS.streamErrors)).toBe('This account is disabled in the directory.');
    }
    expect(performance.now() - begun).toBeLessThan(15_000);
    await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: [] });
    expect(await isIn(await again(server, 'tybalt'))).toBe(true);
  });

  async function again(server: TestServer, username: string) {
    const client = stranger(server);
    expect((await plain(client, username, `pw-${username}`)).name).toBe('success');
    return client;
  }

  test('is logged out when no longer in the directory, and messages come back then', async () => {
    const server = await startDirectoryServer(slapd);
    const nurse = await session(server, 'nurse');
    const romeo = await session(server, 'romeo');
    await slapd.remove(personDn('nurse'));
    expect((await nurse.take(({ name }) => name === 'error')).firstChild?.name).toBe('not-authorized');
    romeo.send(`<message to='nurse@localhost' id='m'><body>Hello?</body></message>`);
    const error = await romeo.take(({ name }) => name === 'message');
    expect(error.child('error')?.firstChild?.name).toBe('service-unavailable');
  });
});
