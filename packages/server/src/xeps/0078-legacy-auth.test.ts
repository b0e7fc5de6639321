import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { conditionOf, features, outcomeOf, plain } from '../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import legacyAuth from './0078-legacy-auth.ts';

const NS = 'jabber:iq:auth';
const modules = [legacyAuth];
const query = (content: string) => `<query xmlns='${NS}'>${content}</query>`;
const credentials = (username: string, password: string, resource = 'globe') =>
  query(`<username>${username}</username><password>${password}</password><resource>${resource}</resource>`);

const start = (legacy: boolean, logins = {}): Promise<TestServer> =>
  startServer({ modules, config: { authentication: { legacy }, limits: { logins: { delaySeconds: 0, ...logins } } } });

/** What ends the stream. */
const streamError = async (client: TestClient): Promise<string | undefined> =>
  (await client.take(({ name, ns }) => name === 'error' && ns === 'http://etherx.jabber.org/streams')).firstChild?.name;

const offered = (offer: Element) => offer.child('auth', 'http://jabber.org/features/iq-auth') !== undefined;

describe('where it is on', () => {
  let server: TestServer;
  let client: TestClient;

  beforeEach(async () => {
    server = await start(true, { failuresPerStream: 3 });
    await server.account('bill@localhost');
    client = server.connect();
    client.open('localhost');
  });

  test('a client logs in, and its resource is bound', async () => {
    expect(offered(await features(client))).toBe(true);
    const form = (await client.request('get', query('<username>bill</username>'))).child('query', NS);
    expect(form?.elements.map(({ name }) => name)).toEqual(['username', 'password', 'resource']);
    const answer = await client.request('set', credentials('Bill', 'secret'));
    expect(outcomeOf(answer)).toBe('result');
    expect(answer.elements).toEqual([]);
    client.jid = 'bill@localhost/globe';
    const { metrics } = server.node.registry;
    expect(metrics.logins.with({ mechanism: 'legacy', outcome: 'success' }).value).toBe(1);
    // another session can reach it by this address
    const romeo = await server.client('romeo@localhost/orchard');
    romeo.send(`<message to='bill@localhost/globe' id='m1'><body>But soft!</body></message>`);
    expect((await client.nextMessage()).attr('id')).toBe('m1');
  });

  test('the form is the same for a name that nobody has', async () => {
    const known = await client.request('get', query('<username>bill</username>'));
    const unknown = await client.request('get', query('<username>nobody</username>'));
    expect(String(unknown.firstChild)).toBe(String(known.firstChild));
  });

  test.each([
    ['a wrong password', credentials('bill', 'guess'), 'not-authorized'],
    ['a name that nobody has', credentials('nobody', 'secret'), 'not-authorized'],
    ['a name that nobody can have', credentials('b@ill', 'secret'), 'not-authorized'],
    ['a password that nobody can have', credentials('bill', 'a&#x9;b'), 'not-authorized'],
    ['a digest', query('<username>bill</username><digest>48fc</digest><resource>globe</resource>'), 'not-acceptable'],
    ['no resource', query('<username>bill</username><password>secret</password>'), 'not-acceptable'],
    ['an empty resource', credentials('bill', 'secret', ''), 'not-acceptable'],
    ['a resource that is none', credentials('bill', 'secret', '&#x9;'), 'not-acceptable'],
    ['no name', credentials('', 'secret'), 'not-acceptable'],
  ])('%s does not get in', async (_, content, condition) => {
    const answer = await client.request('set', content);
    expect(outcomeOf(answer)).toBe(condition);
    expect(answer.elements.map(({ name }) => name)).toEqual(['error']); // never what was sent
    client.send(`<presence/>`);
    expect(await streamError(client)).toBe('not-authorized');
  });

  test('a disabled account does not get in', async () => {
    await server.accounts.disable?.(Jid.parse('bill@localhost'));
    expect(outcomeOf(await client.request('set', credentials('bill', 'secret')))).toBe('not-authorized');
  });

  test('after too many failures the stream ends', async () => {
    for (const password of ['one', 'two', 'three']) {
      expect(outcomeOf(await client.request('set', credentials('bill', password)))).toBe('not-authorized');
    }
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('a failure may be followed by a success', async () => {
    expect(outcomeOf(await client.request('set', credentials('bill', 'guess')))).toBe('not-authorized');
    expect(outcomeOf(await client.request('set', credentials('bill', 'secret')))).toBe('result');
  });

  test('after SASL has failed it is refused', async () => {
    expect(conditionOf(await plain(client, 'bill', 'guess'))).toBe('not-authorized');
    client.send(`<iq type='set' id='a'>${credentials('bill', 'secret')}</iq>`);
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('a session cannot log in again', async () => {
    await client.request('set', credentials('bill', 'secret'));
    expect(outcomeOf(await client.request('set', credentials('bill', 'secret'), 'localhost'))).toBe(
      'service-unavailable',
    );
  });

  test('between authentication and binding it ends the stream', async () => {
    expect(conditionOf(await plain(client, 'bill', 'secret'))).toBe('success');
    client.send(`<iq type='set' id='a'>${credentials('bill', 'secret')}</iq>`);
    expect(await streamError(client)).toBe('policy-violation');
  });

  test('a client from before XMPP 1.0 logs in', async () => {
    const old = server.connect();
    old.send(`<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`);
    expect(outcomeOf(await old.request('set', credentials('bill', 'secret')))).toBe('result');
    expect(old.inbox).toEqual([]); // no features
  });

  test('nothing goes without TLS', async () => {
    const open = server.connect((transport) => {
      transport.tls = undefined;
    });
    open.open('localhost');
    expect(offered(await features(open))).toBe(false);
    expect(outcomeOf(await open.request('set', credentials('bill', 'secret')))).toBe('service-unavailable');
  });
});

describe('where it is off, as it is by default', () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await start(false);
    await server.account('bill@localhost');
  });

  test('it is not there', async () => {
    const client = server.connect();
    client.open('localhost');
    expect(offered(await features(client))).toBe(false);
    expect(outcomeOf(await client.request('get', query('')))).toBe('service-unavailable');
    expect(outcomeOf(await client.request('set', credentials('bill', 'secret')))).toBe('service-unavailable');
  });

  test('a client from before XMPP 1.0 is turned away', async () => {
    const old = server.connect();
    old.send(`<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`);
    expect(await streamError(old)).toBe('unsupported-version');
  });
});

test('a domain that takes no passwords takes none in this way either', async () => {
  const server = await startServer({
    modules,
    config: {
      authentication: { legacy: true },
      domains: [{ name: 'localhost', mechanisms: ['SCRAM-SHA-256'] }],
    } as never,
  });
  await server.account('bill@localhost');
  const client = server.connect();
  client.open('localhost');
  expect(offered(await features(client))).toBe(false);
  expect(outcomeOf(await client.request('set', credentials('bill', 'secret')))).toBe('service-unavailable');
});
