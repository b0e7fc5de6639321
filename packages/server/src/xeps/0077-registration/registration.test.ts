import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { features, outcomeOf } from '../../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import registration from './registration.ts';

const NS = 'jabber:iq:register';
const modules = [registration];
const query = (content: string) => `<query xmlns='${NS}'>${content}</query>`;
const credentials = (username: string, password: string) =>
  query(`<username>${username}</username><password>${password}</password>`);

async function stranger(server: TestServer): Promise<TestClient> {
  const client = server.connect();
  client.open('localhost');
  return client;
}

describe('where it is open', () => {
  let server: TestServer;
  let client: TestClient;

  beforeEach(async () => {
    server = await startServer({ modules, config: { registration: { inBand: true } } });
    client = await stranger(server);
  });

  test.each([
    ['a name that is taken', credentials('romeo', 'another'), 'conflict'],
    ['no password', query('<username>juliet</username>'), 'not-acceptable'],
    ['an empty password', credentials('juliet', ''), 'not-acceptable'],
    ['no name', query('<password>Wherefore?</password>'), 'not-acceptable'],
    ['a name that is none', credentials('ju@liet', 'Wherefore?'), 'not-acceptable'],
    ['a password that is none', credentials('juliet', 'a&#x9;b'), 'not-acceptable'],
    ['removal', query('<remove/>'), 'unexpected-request'],
  ])('%s is refused', async (_, content, condition) => {
    await server.account('romeo@localhost');
    expect(outcomeOf(await client.request('set', content))).toBe(condition);
    expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(false);
    expect(await server.accounts.verifyPassword(Jid.parse('romeo@localhost'), 'secret')).toMatchObject({
      accepted: true,
    });
  });

  test('without TLS, where it is required, no password is taken', async () => {
    const open = server.connect((transport) => {
      transport.tls = undefined;
    });
    open.open('localhost');
    expect((await features(open)).child('register', 'http://jabber.org/features/iq-register')).toBeUndefined();
    expect(outcomeOf(await open.request('set', credentials('juliet', 'Wherefore?')))).toBe('policy-violation');
    expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(false);
  });

  test('a request to go that holds more than that changes nothing', async () => {
    const juliet = await server.client('juliet@localhost/balcony');
    const more = query('<remove/><username>juliet</username>');
    expect(outcomeOf(await juliet.request('set', more))).toBe('bad-request');
    expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(true);
  });
});

test('the result of a removal comes once it is committed, and nothing where it is not', async () => {
  const server = await startServer({ modules, config: { registration: { inBand: true } } });
  const juliet = await server.client('juliet@localhost/balcony');
  const asked = Promise.withResolvers<void>();
  const committed = Promise.withResolvers<void>();
  server.node.hooks.events.on('account.removed', () => {
    const batch = server.keyspace.batch.bind(server.keyspace);
    vi.spyOn(server.keyspace, 'batch').mockImplementationOnce(async (...commands: Parameters<typeof batch>) => {
      asked.resolve();
      await committed.promise;
      return batch(...commands);
    });
  });
  const answer = juliet.request('set', query('<remove/>'));
  await asked.promise;
  await new Promise(setImmediate);
  expect(juliet.inbox).toEqual([]);
  expect(await Promise.race([answer, Promise.resolve('nothing')])).toBe('nothing');
  committed.resolve();
  expect(outcomeOf(await answer)).toBe('result');
  expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(false);
  await juliet.closed;
});

describe('where it is closed, as it is by default', () => {
  let server: TestServer;
  let juliet: TestClient;

  beforeEach(async () => {
    server = await startServer({ modules });
    juliet = await server.client('juliet@localhost/balcony');
  });

  test('strangers learn nothing and make nothing', async () => {
    const client = await stranger(server);
    expect((await features(client)).child('register', 'http://jabber.org/features/iq-register')).toBeUndefined();
    expect(outcomeOf(await client.request('get', query('')))).toBe('service-unavailable');
    expect(outcomeOf(await client.request('set', credentials('juliet', 'mine')))).toBe('service-unavailable');
    expect(outcomeOf(await client.request('set', credentials('tybalt', 'mine')))).toBe('service-unavailable');
    expect(await server.accounts.exists(Jid.parse('tybalt@localhost'))).toBe(false);
  });

  test('nobody removes an account', async () => {
    expect(outcomeOf(await juliet.request('set', query('<remove/>')))).toBe('not-allowed');
  });

  test('a user sees that he is registered', async () => {
    const form = (await juliet.request('get', query(''), 'localhost')).child('query', NS);
    expect(form?.child('registered')).toBeDefined();
    expect(form?.childText('username')).toBe('juliet');
    expect(form?.childText('password')).toBe('');
  });

  test.each([
    ['of somebody else', credentials('romeo', 'mine'), 'localhost', 'not-allowed'],
    ['at somebody else', credentials('romeo', 'mine'), 'romeo@localhost', 'service-unavailable'],
    ['to nothing', credentials('juliet', ''), 'localhost', 'bad-request'],
    ['without a name', query('<password>mine</password>'), 'localhost', 'bad-request'],
    ['to what is none', credentials('juliet', 'a&#x9;b'), 'localhost', 'not-acceptable'],
  ])('a password %s is not changed', async (_, content, to, condition) => {
    await server.account('romeo@localhost');
    expect(outcomeOf(await juliet.request('set', content, to))).toBe(condition);
    for (const name of ['romeo', 'juliet']) {
      expect(await server.accounts.verifyPassword(Jid.parse(`${name}@localhost`), 'secret')).toMatchObject({
        accepted: true,
      });
    }
  });
});
