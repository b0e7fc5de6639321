import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test } from 'vitest';
import registration from '../../packages/server/src/xeps/0077-registration/registration.ts';
import type { TestClient } from '../support/client.ts';
import { conditionOf, features, outcomeOf, plain } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';

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

const logInAs = async (server: TestServer, username: string, password: string): Promise<string> => {
  const client = await stranger(server);
  await features(client);
  return conditionOf(await plain(client, username, password));
};

describe('where it is open', () => {
  let server: TestServer;
  let client: TestClient;

  beforeEach(async () => {
    const limits = { registration: { attemptsPerHour: 3 }, logins: { delaySeconds: 0 } };
    server = await startServer({ modules, config: { registration: { inBand: true }, limits } });
    client = await stranger(server);
  });

  test('a stranger makes an account and logs in with it on the same stream', async () => {
    expect((await features(client)).child('register', 'http://jabber.org/features/iq-register')).toBeDefined();
    const form = (await client.request('get', query(''), 'localhost')).child('query', NS);
    expect(form?.elements.map(({ name }) => name)).toEqual(['instructions', 'username', 'password']);
    expect(outcomeOf(await client.request('set', credentials('Juliet', 'Wherefore?')))).toBe('result');
    expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(true);
    expect(conditionOf(await plain(client, 'juliet', 'Wherefore?'))).toBe('success');
  });

  test('one address may try only so often, by whatever streams', async () => {
    for (let n = 0; n < 3 * server.nodes.length; n++) {
      const next = await stranger(server); // each time on another node, which counts for itself
      expect(outcomeOf(await next.request('set', credentials(`user${n}`, 'secret')))).toBe('result');
    }
    expect(outcomeOf(await client.request('set', credentials('late', 'secret')))).toBe('resource-constraint');
    expect(await server.accounts.exists(Jid.parse('late@localhost'))).toBe(false);
    expect(server.exceeded('registrations-per-address')).toBe(1);
  });

  test('whoever goes takes every session and all data along', async () => {
    const juliet = await server.client('juliet@localhost/balcony');
    const chamber = await server.client('juliet@localhost/chamber');
    const left: string[] = [];
    server.nodeOf(juliet).hooks.events.on('account.removed', (account) => void left.push(account.toString()));
    expect(outcomeOf(await juliet.request('set', query('<remove/>')))).toBe('result');
    for (const client of [juliet, chamber]) {
      const error = await client.take(({ name }) => name === 'error');
      expect(error.firstChild?.name).toBe('not-authorized');
      await client.closed;
    }
    expect(left).toEqual(['juliet@localhost']);
    expect(await server.accounts.exists(Jid.parse('juliet@localhost'))).toBe(false);
    expect(await logInAs(server, 'juliet', 'secret')).toBe('not-authorized');
    // the name is free again
    expect(outcomeOf(await client.request('set', credentials('juliet', 'another')))).toBe('result');
  });
});

describe('where it is closed, as it is by default', () => {
  let server: TestServer;
  let juliet: TestClient;

  beforeEach(async () => {
    const limits = { registration: { passwordChangesPerHour: 2 }, logins: { delaySeconds: 0 } };
    server = await startServer({ modules, config: { limits } });
    juliet = await server.client('juliet@localhost/balcony');
  });

  test.each([undefined, 'localhost', 'juliet@localhost'])('a user changes the password at %s', async (to) => {
    const chamber = await server.client('juliet@localhost/chamber');
    const answer = await juliet.request('set', credentials('juliet', 'Art thou not Romeo?'), to);
    expect(outcomeOf(answer)).toBe('result');
    expect(await logInAs(server, 'juliet', 'secret')).toBe('not-authorized');
    expect(await logInAs(server, 'juliet', 'Art thou not Romeo?')).toBe('success');
    // whoever else was in has to show the new one
    expect((await chamber.take(({ name }) => name === 'error')).firstChild?.name).toBe('reset');
    expect(await juliet.sync()).toEqual([]);
  });

  test('a password changes only so often in an hour', async () => {
    for (const password of ['one', 'two']) {
      expect(outcomeOf(await juliet.request('set', credentials('juliet', password)))).toBe('result');
    }
    expect(outcomeOf(await juliet.request('set', credentials('juliet', 'three')))).toBe('resource-constraint');
    expect(await server.accounts.verifyPassword(Jid.parse('juliet@localhost'), 'two')).toMatchObject({
      accepted: true,
    });
  });
});
