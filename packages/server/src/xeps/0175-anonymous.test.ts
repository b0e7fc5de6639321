import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { answer, conditionOf, features, mechanismsOf, outcomeOf, sendAuth } from '../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import anonymous from './0175-anonymous.ts';

const noteKeys = declareKeys({ name: 'note', type: 'string', content: '', bound: '', ttl: 'none' });

let keyspace: Keyspace;

/** Keeps something of every session, as modules do. */
const note = defineModule({
  name: 'note',
  keys: [noteKeys],
  setup(context) {
    keyspace = context.keyspace;
    context.hooks.events.on('session.bound', async ({ account }) => {
      await keyspace.set(noteKeys.key(account.bareText), 'was here');
    });
  },
});

let server: TestServer;

async function guest(): Promise<TestClient> {
  const client = server.connect();
  client.open('localhost');
  await features(client);
  sendAuth(client, 'ANONYMOUS', ''); // XEP-0175 §4: nothing at all
  expect(conditionOf(await answer(client))).toBe('success');
  await features(client);
  const bound = await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`);
  client.jid = bound.firstChild?.childText('jid') ?? '';
  return client;
}

describe('where guests are allowed', () => {
  beforeEach(async () => {
    server = await startServer({
      modules: [anonymous, note],
      config: { authentication: { mechanisms: ['SCRAM-SHA-1', 'ANONYMOUS'] } },
    });
  });

  test('each has an address of his own that is no account', async () => {
    const [one, two] = [await guest(), await guest()];
    expect(one.bare).toMatch(/^[0-9a-f-]{36}@localhost$/);
    expect(two.bare).not.toBe(one.bare);
    expect(await server.accounts.exists(Jid.parse(one.bare))).toBe(false);
  });

  test('guests and users talk', async () => {
    const client = await guest();
    const romeo = await server.client('romeo@localhost/orchard');
    client.send(`<message to='romeo@localhost/orchard' id='a'/>`);
    expect((await romeo.nextMessage()).attr('from')).toBe(client.jid);
    romeo.send(`<message to='${client.jid}' id='b'/>`);
    expect((await client.nextMessage()).attr('id')).toBe('b');
  });

  test.each([
    ['another server', `<message to='juliet@capulet.example' id='x'/>`],
    ['a relationship', `<presence to='romeo@localhost' type='subscribe' id='x'/>`],
    ['keeping data', `<iq type='set' id='x'><query xmlns='jabber:iq:private'><a xmlns='b'/></query></iq>`],
  ])('%s is not for guests', async (_, stanza) => {
    const client = await guest();
    await server.account('romeo@localhost');
    client.send(stanza);
    const error = await client.take((element) => element.attr('id') === 'x');
    expect(outcomeOf(error)).toBe('forbidden');
  });

  test('nobody has a relationship with a guest', async () => {
    const client = await guest();
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<presence to='${client.bare}' type='subscribe' id='s'/>`);
    const error = await romeo.take((element) => element.attr('id') === 's');
    expect(outcomeOf(error)).toBe('service-unavailable');
    expect(await client.sync()).toEqual([]);
  });

  test('what was kept of a guest goes with him, and not before', async () => {
    const client = await guest();
    const key = noteKeys.key(client.bare);
    expect(String(await keyspace.get(key))).toBe('was here');
    await client.close();
    expect(await keyspace.get(key)).toBeUndefined();
  });

  test('what is kept of users stays', async () => {
    const romeo = await server.client('romeo@localhost/orchard');
    await romeo.close();
    expect(String(await keyspace.get(noteKeys.key('romeo@localhost')))).toBe('was here');
  });
});

test('by default nobody is let in without a name', async () => {
  server = await startServer({ modules: [anonymous] });
  const client = server.connect();
  client.open('localhost');
  expect(mechanismsOf(await features(client))).not.toContain('ANONYMOUS');
  sendAuth(client, 'ANONYMOUS', '=');
  expect(conditionOf(await answer(client))).toBe('invalid-mechanism');
});
