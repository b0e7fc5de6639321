import { beforeEach, expect, test } from 'vitest';
import { plain } from '../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ modules: [] });
  await server.account('juliet@localhost');
  const { accounts } = server;
  accounts.verifyPassword = async () => ({ accepted: true, notice: 'Your password is old.' });
});

test('what a login has brought to light is told to this client once it is bound', async () => {
  const other = await server.client('juliet@localhost/other');
  const client = server.connect();
  client.open('localhost');
  await plain(client, 'juliet', 'anything');
  const jid = (await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>`)).firstChild?.childText(
    'jid',
  );
  const message = await client.take(({ name }) => name === 'message');
  expect(message.attr('from')).toBe('localhost');
  expect(message.attr('to')).toBe(jid);
  expect(message.childText('body')).toBe('Your password is old.');
  expect(await other.sync()).toEqual([]);
});
