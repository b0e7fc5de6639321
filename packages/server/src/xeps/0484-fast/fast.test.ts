import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { base64, conditionOf, features, isIn } from '../../../../../tests/support/login.ts';
import type { MemoryTransport } from '../../../../../tests/support/memory-transport.ts';
import {
  AGENT,
  addressIn,
  authenticate,
  offerOf,
  plain2,
  said,
  scram2,
  show,
  tokenIn,
  wantToken,
} from '../../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import { ClientStore, clientKeys } from '../../auth/clients/client-store.ts';
import sasl2 from '../0388-sasl2/sasl2.ts';
import upgradeTasks from '../0480-upgrade-tasks/upgrade-tasks.ts';
import fast from './fast.ts';

const exported = Buffer.from('what this very connection exports');
const juliet = Jid.parse('juliet@localhost');
const right = { username: 'juliet', password: 'secret' };

let server: TestServer;

async function start(options: object = {}, most = 5): Promise<void> {
  server = await startServer({
    modules: [sasl2, upgradeTasks, fast],
    config: {
      limits: { logins: { delaySeconds: 0 } },
      authentication: { mechanisms: ['SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS'], clients: { most } },
      modules: { fast: options } as never,
    },
  });
  for (const name of ['juliet', 'romeo']) await server.account(`${name}@localhost`);
}

function connect(prepare?: (transport: MemoryTransport) => void): TestClient {
  const client = server.connect(prepare);
  client.open('localhost');
  return client;
}

const bound = (transport: MemoryTransport) => void transport.bindings.set('tls-exporter', exported);

/** A token of Juliet's client. */
const given = async (mechanism?: string, prepare?: typeof bound) =>
  tokenIn(await plain2(connect(prepare), 'juliet', 'secret', AGENT + wantToken(mechanism))) as string;
const outcome = async (token: string, showing?: Parameters<typeof show>[2], prepare?: typeof bound) =>
  conditionOf(await show(connect(prepare), token, showing));

beforeEach(() => start());

test('is announced as the connection binds', async () => {
  const names = async (client: TestClient) =>
    (await offerOf(client))
      .child('inline')
      ?.child('fast', NS.fast)
      ?.elements.map(({ text }) => text);
  expect(await names(connect())).toEqual(['HT-SHA-256-NONE']);
  expect(await names(connect(bound))).toEqual(['HT-SHA-256-EXPR', 'HT-SHA-256-NONE']);
});

test('a token that is asked for comes with the success, and logs in the next time', async () => {
  const success = await scram2(connect(), { ...right, hash: 'SHA-256' }, AGENT + wantToken());
  expect(Date.parse(success.child('token', NS.fast)?.attr('expiry') ?? '') - Date.now()).toBeGreaterThan(
    13 * 86_400_000,
  );
  const client = connect();
  const again = await show(client, tokenIn(success) ?? '');
  expect([addressIn(again), tokenIn(again)]).toEqual(['juliet@localhost', undefined]);
  expect(await isIn(client)).toBe(true);
  expect(server.sessions[0]?.stream.mechanism).toBe('HT-SHA-256-NONE');
});

test.each(['HT-SHA-256-EXPR', 'HT-SHA-256-NONE'])('%s logs in on a connection that binds', async (mechanism) => {
  const token = await given(mechanism, bound);
  const binding = mechanism === 'HT-SHA-256-EXPR' ? exported : Buffer.alloc(0);
  expect(await outcome(token, { mechanism, binding }, bound)).toBe('success');
});

test.each([
  ['nobody in particular', wantToken(), 'juliet'],
  ['a mechanism that is not offered', AGENT + wantToken('HT-SHA-256-EXPR'), 'juliet'],
  ['nobody who does not ask', AGENT, 'juliet'],
])('%s gets no token', async (_, content) => {
  const success = await plain2(connect(), 'juliet', 'secret', content);
  expect([success.name, tokenIn(success)]).toEqual(['success', undefined]);
});

test('nor does a guest, nor whoever has not logged in', async () => {
  const client = connect();
  authenticate(client, 'ANONYMOUS', undefined, AGENT + wantToken());
  expect(tokenIn(await said(client))).toBeUndefined();
  expect(String(await plain2(connect(), 'juliet', 'guess', AGENT + wantToken()))).not.toContain('token');
  expect(await new ClientStore(server.keyspace, () => ({ most: 5, ttl: 60_000 })).all(juliet)).toEqual(new Map());
});

describe('nobody logs in', () => {
  const OTHER = AGENT.replace('d4565fa7', 'e4565fa7');

  test.each<[string, Parameters<typeof show>[2], string]>([
    ['as another client', { agent: OTHER }, 'not-authorized'],
    ['as nobody in particular', { agent: '' }, 'invalid-mechanism'],
    ['as somebody else', { username: 'romeo' }, 'not-authorized'],
    ['as somebody unknown', { username: 'rosaline' }, 'not-authorized'],
    ['bound to something', { binding: exported }, 'not-authorized'],
    ['by a mechanism that is not offered', { mechanism: 'HT-SHA-256-ENDP' }, 'invalid-mechanism'],
  ])('%s', async (_, showing, condition) => {
    const token = await given();
    expect(await outcome(token, showing)).toBe(condition);
    expect(await outcome(token)).toBe('success');
  });

  test('with a token that is none, or was tampered with', async () => {
    const token = await given();
    for (const other of ['', `${token}x`, token.slice(1), token.toUpperCase()]) {
      expect(await outcome(other)).toBe('not-authorized');
    }
  });

  test('by a weaker mechanism than the token was given for', async () => {
    const token = await given('HT-SHA-256-EXPR', bound);
    expect(await outcome(token, { mechanism: 'HT-SHA-256-NONE' }, bound)).toBe('not-authorized');
    expect(await outcome(token, { mechanism: 'HT-SHA-256-NONE' })).toBe('not-authorized');
  });

  test('bound to another connection', async () => {
    const token = await given('HT-SHA-256-EXPR', bound);
    const elsewhere = (transport: MemoryTransport) =>
      void transport.bindings.set('tls-exporter', Buffer.from('another'));
    expect(await outcome(token, { mechanism: 'HT-SHA-256-EXPR', binding: exported }, elsewhere)).toBe('not-authorized');
  });

  test('without saying that a token is shown, or by the SASL of RFC 6120', async () => {
    const client = connect();
    authenticate(client, 'HT-SHA-256-NONE', `juliet\0${'x'.repeat(32)}`, AGENT);
    expect(conditionOf(await said(client))).toBe('invalid-mechanism');
    const other = connect();
    other.send(`<auth xmlns='${NS.sasl}' mechanism='HT-SHA-256-NONE'>${base64('juliet\0x')}</auth>`);
    expect(conditionOf(await other.take(({ ns }) => ns === NS.sasl))).toBe('invalid-mechanism');
  });

  test('by repeating what was said, where the client counts', async () => {
    const token = await given();
    expect(await outcome(token, { attributes: ` count='1'` })).toBe('success');
    for (const attributes of [` count='1'`, ` count='0'`, '', ` count='x'`]) {
      expect(await outcome(token, { attributes })).toBe('not-authorized');
    }
    expect(await outcome(token, { attributes: ` count='2'` })).toBe('success');
  });

  test('too often: wrong tokens count as wrong passwords do', async () => {
    const client = connect();
    for (let i = 0; i < 5; i++) expect(conditionOf(await show(client, 'a guess'))).toBe('not-authorized');
    await expect(show(client, 'a guess')).rejects.toThrow('closed');
  });
});

test('a token that is old is replaced, and is good until the new one was shown', async () => {
  await start({ rotationSeconds: 1 });
  const former = await given();
  const store = new ClientStore(server.keyspace, () => ({ most: 5, ttl: 60_000 }));

  const [id] = [...(await store.all(juliet)).keys()] as [string];
  await store.change(juliet, id, (record) => record && { ...record, next: { ...record.next, issued: 0 } as never });
  const lost = tokenIn(await show(connect(), former)) ?? ''; // the client never gets it
  const fresh = tokenIn(await show(connect(), former)) ?? '';
  expect(await outcome(lost)).toBe('not-authorized');
  expect(await outcome(fresh)).toBe('success');
  expect(await outcome(former)).toBe('not-authorized');
});

test.each([
  ['is over', '', undefined],
  ['is replaced, where another one is asked for', wantToken(), expect.any(String)],
])('a token that the client ends %s', async (_, content, expected) => {
  const token = await given();
  const success = await show(connect(), token, { attributes: ` invalidate='true'`, content });
  expect(tokenIn(success)).toEqual(expected);
  expect(await outcome(token)).toBe('not-authorized');
  if (expected !== undefined) expect(await outcome(tokenIn(success) ?? '')).toBe('success');
});

test('nothing is to be done by whoever shows a token (§4.2)', async () => {
  const token = await given();
  const content = `<upgrade xmlns='${NS.saslUpgrade}'>UPGR-SCRAM-SHA-512</upgrade>`;
  expect((await show(connect(), token, { content })).name).toBe('success');
});

test('clients that were away longest make room', async () => {
  await start({}, 2);
  const agents = ['a', 'b', 'c'].map((digit) => AGENT.replace('d4565fa7', digit.repeat(8)));
  const tokens: string[] = [];
  for (const agent of agents) {
    tokens.push(tokenIn(await plain2(connect(), 'juliet', 'secret', agent + wantToken())) ?? '');
  }
  const outcomes = [];
  for (const [i, agent] of agents.entries()) outcomes.push(await outcome(tokens[i] as string, { agent }));
  expect(outcomes.filter((each) => each === 'success')).toHaveLength(2);
  expect(outcomes[2]).toBe('success');
});

test('a keyspace that cannot keep a token keeps nobody out', async () => {
  const call = server.keyspace.call.bind(server.keyspace);

  server.keyspace.call = (operation, keys, args) =>
    keys[0] === clientKeys.key('juliet@localhost')
      ? Promise.reject(new KeyspaceError('away', 'Redis is gone'))
      : call(operation, keys, args);
  const success = await plain2(connect(), 'juliet', 'secret', AGENT + wantToken());
  expect([success.name, tokenIn(success)]).toEqual(['success', undefined]);
});

test('where it is switched off nothing is announced, and nobody logs in by it', async () => {
  const token = await given();
  await start({ enabled: false });
  const client = connect();
  expect(String(await features(client))).not.toContain(NS.fast);
  expect(conditionOf(await show(client, token))).toBe('invalid-mechanism');
});

test('one that is shown while the password becomes another one lets nobody in', async () => {
  const token = await given();
  const { accounts } = server;
  const refusal = accounts.refusal.bind(accounts);
  vi.spyOn(accounts, 'refusal').mockImplementationOnce(async (account) => {
    await accounts.setPassword?.(account, 'another');
    return refusal(account);
  });
  expect(await outcome(token)).toBe('temporary-auth-failure');
  expect(await outcome(token)).toBe('not-authorized');
});

test('one that is still kept when the password is another one is good for nothing', async () => {
  const token = await given();
  const { keyspace } = server;
  const key = clientKeys.key(juliet.bareText);
  const kept = [...(await keyspace.hgetall(key))];
  await server.accounts.setPassword?.(juliet, 'another');
  // as where a node falls between the two, or another one is asked that has not ended them yet
  await keyspace.hset(key, kept);
  expect(await outcome(token)).toBe('credentials-expired');
});

test('one that was shown in an attempt that failed says nothing of the next one', async () => {
  const token = await given();
  const client = server.connect();
  client.open('localhost', 'romeo@localhost');
  expect(conditionOf(await show(client, token))).toBe('invalid-authzid');
  const success = await plain2(client, 'romeo', 'secret', AGENT + wantToken());
  expect([success.name, tokenIn(success)]).toEqual(['success', expect.any(String)]);
});
