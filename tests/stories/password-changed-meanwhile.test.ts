import { Jid } from '@parley/xmpp/jid';
import { clientFinal } from '@parley/xmpp/sasl/testing';
import { beforeEach, expect, test } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { answer, base64, conditionOf, isIn, scram, sendAuth } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const juliet = Jid.parse('juliet@localhost');
const FIRST = 'n,,n=juliet,r=a-nonce-of-the-client';

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ config: { limits: { logins: { delaySeconds: 0 } } } });
  await server.account('juliet@localhost');
});

function connect(): TestClient {
  const client = server.connect();
  client.open('localhost');
  return client;
}

/** What the client that was challenged says with a password. */
function respond(client: TestClient, challenge: { text: string }, password: string) {
  const data = Buffer.from(challenge.text, 'base64');
  const { message } = clientFinal('SHA-1', FIRST, { type: 'challenge', data }, { password });
  client.send(`<response xmlns='${SASL}'>${base64(message)}</response>`);
  return answer(client);
}

test('who has begun to log in by a password that is changed meanwhile is not let in by it, on any node', async () => {
  const clients = Array.from({ length: 3 }, connect);
  const challenges = [];
  for (const client of clients) {
    sendAuth(client, 'SCRAM-SHA-1', base64(FIRST));
    challenges.push(await answer(client));
  }
  await server.accounts.setPassword?.(juliet, 'another');
  await server.settled();
  for (const [at, client] of clients.entries()) {
    const end = await respond(client, challenges[at] as { text: string }, 'secret');
    expect(conditionOf(end)).toBe('temporary-auth-failure');
    expect(await isIn(client)).toBe(false);
  }
  const again = connect();
  expect(conditionOf(await scram(again, { username: 'juliet', password: 'another' }))).toBe('success');
});
