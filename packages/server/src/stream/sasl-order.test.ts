import type { Element } from '@parley/xmpp/element';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import {
  answer,
  base64,
  conditionOf,
  features,
  isIn,
  mechanismsOf,
  plain,
  sendAuth,
  streamError,
} from '../../../../tests/support/login.ts';
import { enable } from '../../../../tests/support/resumption.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import streamManagement from '../xeps/0198-stream-management/stream-management.ts';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';

let server: TestServer;

beforeEach(async () => {
  server = await startServer({ modules: [], config: { limits: { logins: { delaySeconds: 0 } } } });
  await server.account('juliet@localhost');
});

function connect(): TestClient {
  const client = server.connect();
  client.open('localhost');
  return client;
}

test.each([
  ['a mechanism that nobody knows', `<auth xmlns='${SASL}' mechanism='DIGEST-MD5'>AA==</auth>`, 'invalid-mechanism'],
  ['no mechanism', `<auth xmlns='${SASL}'>AA==</auth>`, 'invalid-mechanism'],
  ['one that is not offered', `<auth xmlns='${SASL}' mechanism='ANONYMOUS'>=</auth>`, 'invalid-mechanism'],
  ['-PLUS without binding data', `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-1-PLUS'>=</auth>`, 'invalid-mechanism'],
  ['EXTERNAL without a certificate', `<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`, 'invalid-mechanism'],
  ['another case', `<auth xmlns='${SASL}' mechanism='plain'>=</auth>`, 'invalid-mechanism'],
  ['white space in base64', `<auth xmlns='${SASL}' mechanism='PLAIN'> AGEAYg== </auth>`, 'incorrect-encoding'],
  ['base64 without padding', `<auth xmlns='${SASL}' mechanism='PLAIN'>AGEAYg</auth>`, 'incorrect-encoding'],
  ['no base64', `<auth xmlns='${SASL}' mechanism='PLAIN'>!</auth>`, 'incorrect-encoding'],
  ['elements in place of text', `<auth xmlns='${SASL}' mechanism='PLAIN'><a/></auth>`, 'malformed-request'],
  ['an empty message', `<auth xmlns='${SASL}' mechanism='PLAIN'>=</auth>`, 'malformed-request'],
  ['a response to nothing', `<response xmlns='${SASL}'>AGEAYg==</response>`, 'malformed-request'],
  ['an end of nothing', `<abort xmlns='${SASL}'/>`, 'aborted'],
])('%s fails, and the next attempt may succeed', async (_, element, condition) => {
  const client = connect();
  client.send(element);
  expect(conditionOf(await answer(client))).toBe(condition);
  expect(conditionOf(await plain(client, 'juliet', 'secret'))).toBe('success');
});

test('whose account has a session logs in no sooner than others, since that would tell of it', async () => {
  const logins = { delaySeconds: 0, perSecond: 10 };
  const busy = await startServer({ modules: [streamManagement], config: { limits: { logins } } });
  for (const name of ['juliet', 'romeo']) await busy.account(`${name}@localhost`);
  const juliet = await busy.client('juliet@localhost/balcony');
  await enable(juliet);
  juliet.break();
  const order: string[] = [];
  const logIn = async (name: string) => {
    const client = busy.connect();
    client.open('localhost');
    // what comes first in its turn: how long a password takes is up to the threads that compute, and they keep no order
    sendAuth(client, 'SCRAM-SHA-1', base64(`n,,n=${name},r=nonce`));
    const { name: said } = await answer(client);
    order.push(`${name} ${said}`);
  };
  await Promise.all(['nobody', 'romeo', 'romeo', 'romeo', 'juliet', 'juliet'].map(logIn));
  const later = order.slice(-2);
  expect(later).toEqual(['juliet challenge', 'juliet challenge']);
  expect(order.slice(0, 4).toSorted()).toEqual(['nobody challenge', ...Array(3).fill('romeo challenge')]);
});

test('an attempt can be broken off', async () => {
  const client = connect();
  sendAuth(client, 'SCRAM-SHA-1', base64('n,,n=juliet,r=nonce'));
  expect((await answer(client)).name).toBe('challenge');
  client.send(`<abort xmlns='${SASL}'/>`);
  expect(conditionOf(await answer(client))).toBe('aborted');
  client.send(`<response xmlns='${SASL}'>${base64('c=biws,r=nonce,p=AA==')}</response>`);
  expect(conditionOf(await answer(client))).toBe('malformed-request');
});

test('a second attempt within the first ends both', async () => {
  const client = connect();
  sendAuth(client, 'SCRAM-SHA-1', base64('n,,n=juliet,r=nonce'));
  expect((await answer(client)).name).toBe('challenge');
  sendAuth(client, 'PLAIN', base64('\0juliet\0secret'));
  expect(conditionOf(await answer(client))).toBe('malformed-request');
  client.send(`<response xmlns='${SASL}'>${base64('c=biws,r=nonce,p=AA==')}</response>`);
  expect(conditionOf(await answer(client))).toBe('malformed-request');
  expect(await isIn(client)).toBe(false);
});

test.each(['success', 'challenge', 'failure', 'mechanisms'])('<%s/> from a client ends the stream', async (name) => {
  const client = connect();
  client.send(`<${name} xmlns='${SASL}'/>`);
  expect(await streamError(client)).toBe('unsupported-stanza-type');
});

test('nothing but SASL is heard before it', async () => {
  for (const stanza of ['<message/>', '<presence/>', `<iq type='get' id='a'><query xmlns='jabber:iq:roster'/></iq>`]) {
    const client = connect();
    client.send(stanza);
    expect(await streamError(client)).toBe('not-authorized');
  }
});

test.each(['before', 'after'])('whoever is in cannot log in again %s binding', async (when) => {
  const client = connect();
  await features(client);
  await plain(client, 'juliet', 'secret');
  expect(mechanismsOf(await features(client))).toEqual([]);
  if (when === 'after') expect(await isIn(client)).toBe(true);
  sendAuth(client, 'PLAIN', base64('\0juliet\0secret'));
  expect(await streamError(client)).toBe('policy-violation');
});

test('what follows the login before the stream is restarted ends it', async () => {
  const client = connect();
  client.send(
    `<auth xmlns='${SASL}' mechanism='PLAIN'>${base64('\0juliet\0secret')}</auth>` +
      `<iq type='set' id='a'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`,
  );
  expect(await streamError(client)).toBe('policy-violation');
});

test('white space behind the login is nothing', async () => {
  const client = connect();
  client.send(`<auth xmlns='${SASL}' mechanism='PLAIN'>${base64('\0juliet\0secret')}</auth>\n `);
  expect(conditionOf(await answer(client))).toBe('success');
  expect(await isIn(client)).toBe(true);
});

test.each([
  ['juliet@localhost', undefined],
  ['Juliet@LOCALHOST/balcony', undefined],
  ['romeo@localhost', 'invalid-from'],
  ['localhost', 'invalid-from'],
  ['@', 'invalid-from'],
])('who has logged in as Juliet and goes on as %s', async (from, condition) => {
  const client = connect();
  await features(client);
  sendAuth(client, 'PLAIN', base64('\0juliet\0secret'));
  await client.take(({ name }) => name === 'success');
  client.open('localhost', from);
  if (condition === undefined) expect((await features(client)).child('bind', BIND)).toBeDefined();
  else expect(await streamError(client)).toBe(condition);
});

test('nothing but a right proof gets in', async () => {
  const say: ((client: TestClient) => void)[] = [
    (client) => sendAuth(client, 'PLAIN', base64('\0juliet\0guess')),
    (client) => sendAuth(client, 'PLAIN', ''),
    (client) => sendAuth(client, 'SCRAM-SHA-256', base64('n,,n=juliet,r=nonce')),
    (client) => sendAuth(client, 'SCRAM-SHA-1', base64('n,,n=nobody,r=nonce')),
    (client) => sendAuth(client, 'EXTERNAL', base64('juliet@localhost')),
    (client) => client.send(`<response xmlns='${SASL}'>${base64('\0juliet\0guess')}</response>`),
    (client) => client.send(`<response xmlns='${SASL}'>${base64('c=biws,r=nonce,p=AA==')}</response>`),
    (client) => client.send(`<response xmlns='${SASL}'/>`),
    (client) => client.send(`<abort xmlns='${SASL}'/>`),
    (client) => client.send(`<stream:stream to='localhost' version='1.0' xmlns='jabber:client'/>`),
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(say.length - 1), { minLength: 1, maxLength: 6 }), async (steps) => {
      const seen: Element[] = [];
      const client = server.connect((transport) => {
        transport.remoteAddress = `203.0.113.${steps.length}`;
      });
      client.onElement = (element) => void seen.push(element);
      client.open('localhost');
      for (const step of steps) say[step]?.(client);
      client.send('</stream:stream>');
      await client.closed;
      expect(seen.map(({ name }) => name)).not.toContain('success');
    }),
    { numRuns: 150 },
  );
  const { metrics } = server.node.registry;
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'EXTERNAL'] as const) {
    expect(metrics.logins.with({ mechanism, outcome: 'success' }).value).toBe(0);
  }
});
