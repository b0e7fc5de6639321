import { NS } from '@parley/xmpp/namespaces';
import { beforeEach, describe, expect, test } from 'vitest';
import type { TestClient } from '../../../../tests/support/client.ts';
import { conditionOf, features, isIn, streamError } from '../../../../tests/support/login.ts';
import { addressIn, offerOf, plain2 } from '../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import type { Module } from '../module.ts';
import bind2 from './0386-bind2.ts';
import sasl2 from './0388-sasl2/sasl2.ts';

const AGENT = `<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>`;
const OTHER_AGENT = `<user-agent id='e4565fa7-4d72-4749-b3d3-740edbf87770'/>`;
const bind = (content = '') => `<bind xmlns='${NS.bind2}'>${content}</bind>`;
const tagged = (tag: string) => bind(`<tag>${tag}</tag>`);

let server: TestServer;

async function start(modules: readonly Module[] = [], config: object = {}): Promise<void> {
  server = await startServer({ modules: [sasl2, bind2, ...modules], config });
  await server.account('juliet@localhost');
}

function connect(): TestClient {
  const client = server.connect();
  client.open('localhost');
  return client;
}

/** Logs in and binds; gives the client and its address. */
async function logIn(content: string) {
  const client = connect();
  const success = await plain2(client, 'juliet', 'secret', content);
  client.jid = addressIn(success) ?? '';
  return { client, success, resource: client.jid.split('/').slice(1).join('/') };
}

beforeEach(() => start());

test('is announced, and binds with the success', async () => {
  expect(String((await offerOf(connect())).child('inline'))).toContain(`<bind xmlns='${NS.bind2}'><inline/></bind>`);
  const { client, success } = await logIn(bind());
  expect(success.child('bound', NS.bind2)).toBeDefined();
  expect(server.sessionOf(client.jid).stream.mechanism).toBe('PLAIN');
  await features(client); // those of before
  const offer = await features(client);
  expect(offer.child('bind', NS.bind)).toBeUndefined();
  expect(await client.sync()).toEqual([]);
});

test('nothing is bound where the login fails, or nobody asks for it', async () => {
  const client = connect();
  expect(conditionOf(await plain2(client, 'juliet', 'guess', bind()))).toBe('not-authorized');
  expect(server.sessions).toEqual([]);
  const success = await plain2(client, 'juliet', 'secret');
  expect([addressIn(success), success.child('bound', NS.bind2)]).toEqual(['juliet@localhost', undefined]);
  expect(server.sessions).toEqual([]);
  expect(await isIn(client)).toBe(true); // in the way of RFC 6120
});

describe('the resource', () => {
  test('is one that nobody can guess, behind the tag', async () => {
    const [one, other] = [await logIn(tagged('AwesomeXMPP')), await logIn(tagged('AwesomeXMPP'))];
    expect(one.resource).toMatch(/^AwesomeXMPP\/[\w-]{16}$/);
    expect(other.resource).not.toBe(one.resource);
  });

  test('of the same client is the same, and does not tell its id', async () => {
    const one = await logIn(AGENT + tagged('AwesomeXMPP'));
    await one.client.close();
    const again = await logIn(AGENT + tagged('AwesomeXMPP'));
    expect(again.resource).toBe(one.resource);
    const other = await logIn(OTHER_AGENT + tagged('AwesomeXMPP'));
    expect(other.resource).not.toBe(one.resource);
    expect(one.resource).not.toContain('d4565fa7');
  });

  test.each([
    ['longer than a resource may be', 'x'.repeat(1020)],
    ['empty', ''],
  ])('has no tag that is %s', async (_, tag) => {
    expect((await logIn(tagged(tag))).resource).toMatch(/^[\w-]{16}$/);
  });
});

test.each(['AwesomeXMPP', 'Renamed', ''])('what the client had before it ends, also as %j', async (tag) => {
  const before = await logIn(AGENT + tagged('AwesomeXMPP'));
  const other = await logIn(OTHER_AGENT + tagged('AwesomeXMPP'));
  const now = await logIn(AGENT + tagged(tag));
  expect(await streamError(before.client)).toBe('conflict');
  expect(server.sessions.map(({ jid }) => jid.toString()).toSorted()).toEqual(
    [other.client.jid, now.client.jid].toSorted(),
  );
});

test('where the account has too many sessions, the login says so', async () => {
  await start([], { limits: { sessions: { perAccount: 1 } } });
  await logIn(bind());
  const client = connect();
  const login = plain2(client, 'juliet', 'secret', bind());
  const error = await client.take(({ name, ns }) => name === 'error' && ns === NS.streams);
  expect(error.child('resource-constraint', NS.streamErrors)).toBeDefined();
  expect(error.child('resource-limit-exceeded', 'urn:xmpp:errors')).toBeDefined();
  await expect(login).rejects.toThrow('closed');
  expect(server.sessions).toHaveLength(1);
});
