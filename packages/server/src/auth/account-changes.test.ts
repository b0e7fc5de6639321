import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { conditionOf, features, plain } from '../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';

const juliet = Jid.parse('juliet@localhost');
const NS_STREAMS = 'http://etherx.jabber.org/streams';

let server: TestServer;
let balcony: TestClient;
let chamber: TestClient;
let romeo: TestClient;
/** Has authenticated and not bound a resource. */
let waiting: TestClient;

beforeEach(async () => {
  server = await startServer({ modules: [] });
  balcony = await server.client('juliet@localhost/balcony');
  chamber = await server.client('juliet@localhost/chamber');
  romeo = await server.client('romeo@localhost/orchard');
  waiting = server.connect();
  waiting.open('localhost');
  expect(conditionOf(await plain(waiting, 'juliet', 'secret'))).toBe('success');
  await features(waiting);
});

async function ended(client: TestClient): Promise<string | undefined> {
  const error = await client.take(({ name, ns }) => name === 'error' && ns === NS_STREAMS);
  await client.closed;
  return error.firstChild?.name;
}

describe('streams of an account end', () => {
  test.each([
    ['disabled', 'not-authorized', () => server.accounts.disable?.(juliet)],
    ['removed', 'not-authorized', () => server.accounts.remove?.(juliet)],
    ['given another password', 'reset', () => server.accounts.setPassword?.(juliet, 'another')],
  ])('when it is %s', async (_, condition, change) => {
    await change();
    for (const client of [balcony, chamber, waiting]) expect(await ended(client)).toBe(condition);
    expect(server.node.sessions.of(juliet)).toEqual([]);
    expect(await romeo.sync()).toEqual([]);
  });

  test('but not the one whose session asked for it', async () => {
    const session = server.node.sessions.get(Jid.parse('juliet@localhost/balcony'));
    await server.accounts.setPassword?.(juliet, 'another', session?.sessionId);
    for (const client of [chamber, waiting]) expect(await ended(client)).toBe('reset');
    expect(await balcony.sync()).toEqual([]);
  });

  test('nor when it is enabled', async () => {
    await server.accounts.enable?.(juliet);
    for (const client of [balcony, chamber]) expect(await client.sync()).toEqual([]);
  });
});

test('modules hear of accounts that come and go', async () => {
  const heard: string[] = [];
  for (const event of ['account.created', 'account.removed'] as const) {
    server.node.hooks.events.on(event, (account) => void heard.push(`${event} ${account}`));
  }
  await server.accounts.create?.(Jid.parse('tybalt@localhost'), 'secret');
  await server.accounts.setPassword?.(Jid.parse('tybalt@localhost'), 'another');
  await server.accounts.remove?.(Jid.parse('tybalt@localhost'));
  expect(heard).toEqual(['account.created tybalt@localhost', 'account.removed tybalt@localhost']);
});

test('an account that is disabled while it logs in does not stay', async () => {
  const { accounts } = server;
  const late = server.connect();
  late.open('localhost');
  await plain(late, 'romeo', 'secret');
  await features(late);
  accounts.refusal = () => ({ condition: 'account-disabled' });
  late.send(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
  expect(await ended(late)).toBe('not-authorized');
});

test('nor does one that is disabled while its session comes from another node', async () => {
  const { accounts, node } = server;
  const session = node.sessions.get(Jid.parse('juliet@localhost/balcony'));
  accounts.refusal = () => ({ condition: 'account-disabled' });
  node.hooks.events.emit('session.resumed', session as never);
  expect(await ended(balcony)).toBe('not-authorized');
  expect(await romeo.sync()).toEqual([]);
});
