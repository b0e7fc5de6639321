import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { conditionOf } from '../support/login.ts';
import { AGENT, addressIn, plain2, show, tokenIn, wantToken } from '../support/sasl2.ts';
import { startServer, type TestServer } from '../support/server.ts';

const juliet = Jid.parse('juliet@localhost');
const ENABLE = `<bind xmlns='${NS.bind2}'><enable xmlns='${NS.streamManagement}' resume='true'/></bind>`;

async function start() {
  const server = await startServer({ config: { limits: { logins: { delaySeconds: 0 } } } });
  await server.account('juliet@localhost');
  return server;
}

/** Each time on another node. */
function connect(server: TestServer) {
  const client = server.connect();
  client.open('localhost', 'juliet@localhost');
  return client;
}

const given = async (server: TestServer) =>
  tokenIn(await plain2(connect(server), 'juliet', 'secret', AGENT + wantToken())) as string;

test('a client that comes back by a token has its session again in one round trip, on any node', async () => {
  const server = await start();
  const romeo = await server.online('romeo@localhost/orchard');
  const client = connect(server);
  const first = await plain2(client, 'juliet', 'secret', AGENT + wantToken() + ENABLE);
  const enabled = first.child('bound', NS.bind2)?.child('enabled', NS.streamManagement);
  const jid = addressIn(first) ?? '';
  client.break();
  await server.settled();
  romeo.send(`<message to='${jid}' type='chat'><body>Art thou gone so?</body></message>`);
  await romeo.sync();
  const back = connect(server);
  const content = `<resume xmlns='${NS.streamManagement}' previd='${enabled?.attr('id')}' h='0'/>`;
  const success = await show(back, tokenIn(first) ?? '', { content });
  expect(success.child('resumed', NS.streamManagement)).toBeDefined();
  expect(addressIn(success)).toBe(jid);
  expect((await back.nextMessage()).childText('body')).toBe('Art thou gone so?');
});

test.each<[string, (server: TestServer) => Promise<unknown> | undefined, string]>([
  ['the password is another one', ({ accounts }) => accounts.setPassword?.(juliet, 'another'), 'not-authorized'],
  [
    'the account is disabled, be it enabled again',
    async ({ accounts }) => {
      await accounts.disable?.(juliet);
      await accounts.enable?.(juliet);
    },
    'not-authorized',
  ],
  [
    'the account is removed, be it made again',
    async ({ accounts }) => {
      await accounts.remove?.(juliet);
      await accounts.create?.(juliet, 'secret');
    },
    'not-authorized',
  ],
])('on no node is a token good any more when %s', async (_, change, condition) => {
  const server = await start();
  const token = await given(server);
  for (let i = 0; i < 3; i++) expect((await show(connect(server), token)).name).toBe('success');
  await change(server);
  for (let i = 0; i < 3; i++) expect(conditionOf(await show(connect(server), token))).toBe(condition);
});

test('one that a client ends on a node is good on none', async () => {
  const server = await start();
  const token = await given(server);
  expect((await show(connect(server), token, { attributes: ` invalidate='1'` })).name).toBe('success');
  for (let i = 0; i < 3; i++) expect(conditionOf(await show(connect(server), token))).toBe('not-authorized');
});

test('what a client that counts has said is taken once, on whatever node it is repeated', async () => {
  const server = await start();
  const token = await given(server);
  const said = async (count: string) => conditionOf(await show(connect(server), token, { attributes: count }));
  for (let count = 1; count <= 3; count++) {
    expect(await said(` count='${count}'`)).toBe('success');
    for (let i = 0; i < 3; i++) expect(await said(` count='${count}'`)).toBe('not-authorized');
  }
  expect(await said('')).toBe('not-authorized');
  expect((await Promise.all(Array.from({ length: 6 }, () => said(` count='9'`)))).sort()).toEqual([
    ...Array(5).fill('not-authorized'),
    'success',
  ]);
});
