import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { conditionOf, features } from '../../../../tests/support/login.ts';
import { plain2, scram2 } from '../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import sasl2 from './0388-sasl2/sasl2.ts';
import pipelining from './0509-pipelining.ts';

let server: TestServer;

const start = async (mechanisms: readonly string[] = ['SCRAM-SHA-256', 'PLAIN']) => {
  server = await startServer({
    modules: [sasl2, pipelining],
    config: { limits: { logins: { delaySeconds: 0 } }, authentication: { mechanisms } },
  });
  await server.account('juliet@localhost');
};

function connect(binds = false): TestClient {
  const client = server.connect((transport) => {
    if (binds) transport.bindings.set('tls-exporter', Buffer.from('exported'));
  });
  client.open('localhost');
  return client;
}

const versionOf = async (client: TestClient) =>
  (await features(client)).child('config-version', NS.pipelining)?.attr('value') ?? '';
const known = (value: string) => `<config-version xmlns='${NS.pipelining}' scheme='opaque' value='${value}'/>`;

beforeEach(() => start());

test('the same offer has the same value, and another one another', async () => {
  const value = await versionOf(connect());
  expect(value).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(await versionOf(connect())).toBe(value);
  expect(await versionOf(connect(true))).not.toBe(value);
  await start(['SCRAM-SHA-256']);
  expect(await versionOf(connect())).not.toBe(value);
});

test('who knows the offer logs in before having seen it', async () => {
  const value = await versionOf(connect());
  expect((await plain2(connect(), 'juliet', 'secret', known(value))).name).toBe('success');
  expect(
    (await scram2(connect(), { username: 'juliet', password: 'secret', hash: 'SHA-256' }, known(value))).name,
  ).toBe('success');
});

test('who knows another one is told so, be the password right or wrong, and nothing is counted', async () => {
  const client = connect();
  for (let i = 0; i < 10; i++) {
    const failure = await plain2(client, 'juliet', i % 2 === 0 ? 'secret' : 'guess', known('another'));
    expect(conditionOf(failure)).toBe('aborted');
    expect(failure.child('config-version-mismatch', NS.pipelining)).toBeDefined();
  }
  const { logins } = server.node.registry.metrics;
  expect(logins.with({ mechanism: 'PLAIN', outcome: 'aborted' }).value).toBe(0);
  expect((await plain2(client, 'juliet', 'secret', known(await versionOf(client)))).name).toBe('success');
});

test('it is not there for those who have logged in, nor without TLS', async () => {
  const client = connect();
  await features(client);
  await plain2(client, 'juliet', 'secret');
  expect(await versionOf(client)).toBe('');
  const clear = server.connect((transport) => {
    transport.tls = undefined;
  });
  clear.open('localhost');
  expect(await versionOf(clear)).toBe('');
});
