import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, expect, test } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { outcomeOf } from '../../../../../tests/support/login.ts';
import { AGENT, addressIn, plain2 } from '../../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import { ClientStore, clientKeys } from '../../auth/clients/client-store.ts';
import bind2 from '../0386-bind2.ts';
import sasl2 from '../0388-sasl2/sasl2.ts';
import clientAccess from './client-access.ts';

const CAM = NS.clientAccess;
const account = Jid.parse('juliet@localhost');
const LIST = `<list xmlns='${CAM}'/>`;

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ modules: [sasl2, bind2, clientAccess] });
  await server.account('juliet@localhost');
});

async function logIn(): Promise<TestClient> {
  const client = server.connect();
  client.open('localhost');
  const success = await plain2(client, 'juliet', 'secret', `${AGENT}<bind xmlns='${NS.bind2}'/>`);
  client.jid = addressIn(success) ?? '';
  await server.settled();
  return client;
}

/** What is kept of a client that is not here. */
const keep = (record: object) =>
  new ClientStore(server.keyspace, () => ({ most: 5, ttl: 1e10 })).change(account, 'another', () => ({
    since: Date.UTC(2026, 0, 1),
    seen: Date.now() - 3_600_000, // before any other, though the clock of the machine be set back
    ...record,
  }));

const clientsIn = async (client: TestClient) =>
  (await client.request('get', LIST)).child('clients', CAM)?.elements ?? [];

test('the list is as the XEP has it', async () => {
  await keep({ software: 'A <client>', grant: { client: 'an-app', restricted: true } });
  const juliet = await logIn();
  const [own, other] = await clientsIn(juliet);
  expect(String(own)).toMatch(
    /^<client xmlns='urn:xmpp:cam:0' connected='true' id='[\w-]{16}' type='session'><first-seen>[^<]+Z<\/first-seen><last-seen>[^<]+Z<\/last-seen><auth><password\/><\/auth><permission status='unrestricted'\/><user-agent><software>AwesomeXMPP<\/software><\/user-agent><\/client>$/,
  );
  expect(String(other)).toMatch(
    /^<client xmlns='urn:xmpp:cam:0' connected='false' id='[\w-]{16}' type='access'><first-seen>2026-01-01T00:00:00[.0]*Z<\/first-seen><last-seen>[^<]+Z<\/last-seen><auth><grant\/><\/auth><permission status='normal'\/><user-agent><software>A &lt;client(?:>|&gt;)<\/software><\/user-agent><\/client>$/,
  );
});

test('a client that comes by a certificate is not said to be shut out', async () => {
  await keep({ other: true, mechanism: 'EXTERNAL', resource: 'balcony' });
  const juliet = await logIn();
  const [, other] = await clientsIn(juliet);
  const refused = await juliet.request('set', `<revoke xmlns='${CAM}' id='${other?.attr('id')}'/>`);
  expect(outcomeOf(refused)).toBe('service-unavailable');
  expect(String(refused)).not.toContain('password-reset-required');
  expect(await clientsIn(juliet)).toHaveLength(2);
});

test('guests have no clients', async () => {
  const juliet = await logIn();
  server.sessionOf(juliet.jid).stream.mechanism = 'ANONYMOUS';
  expect(outcomeOf(await juliet.request('get', LIST))).toBe('forbidden');
});

test('while the keyspace is away a client is told to wait', async () => {
  const juliet = await logIn();
  server.keyspace.hgetall = (key) =>
    key === clientKeys.key(account.bareText)
      ? Promise.reject(new KeyspaceError('away', 'Redis is gone'))
      : Promise.reject(new Error(`Nobody asks for ${key}.`));
  const refused = await juliet.request('get', LIST);
  expect(outcomeOf(refused)).toBe('resource-constraint');
  expect(refused.child('error')?.attr('type')).toBe('wait');
});

test('where it is switched off, nobody is asked', async () => {
  server = await startServer({
    modules: [sasl2, bind2, clientAccess],
    config: { modules: { 'client-access': { enabled: false } } as never },
  });
  await server.account('juliet@localhost');
  expect(outcomeOf(await (await logIn()).request('get', LIST))).toBe('service-unavailable');
});
