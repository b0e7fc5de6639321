import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { base64, conditionOf, features, mechanismsOf, plain, sendAuth } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { undisturbed } from './canaries.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ config: { limits: { logins: { delaySeconds: 0 } } } });
  await server.account('mercutio@localhost');
});

const BIND = `<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>street</resource></bind></iq>`;
const MESSAGE = `<message to='juliet@localhost/canary'><body>from nobody</body></message>`;
const PLAIN = base64('\0mercutio\0secret');

async function opened(): Promise<TestClient> {
  const client = server.connect();
  client.open('localhost');
  await features(client);
  return client;
}

/** The stream error that ends a client's stream; everything that came before it is left in the inbox. */
async function ended(client: TestClient): Promise<string | undefined> {
  await client.closed;
  const errors = client.inbox.filter((element) => element.is('error', NS.streams));
  expect(errors).toHaveLength(1);
  expect(client.inbox.at(-1)).toBe(errors[0]);
  return errors[0]?.firstChild?.name;
}

const failures = (elements: readonly Element[]) => elements.filter(({ ns }) => ns === NS.sasl).map(conditionOf);

describe('a client that does not wait', () => {
  test.each([
    ['sends a stanza behind its login', MESSAGE],
    ['sends a header behind its login', `<stream:stream to='localhost' version='1.0'>`],
    ['binds behind its login', BIND + MESSAGE],
    ['logs in twice', `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${PLAIN}</auth>`],
  ])('%s: it is not logged in, and nothing of it is done', async (_, behind) => {
    const sessions = await undisturbed(server, async () => {
      const client = await opened();
      client.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${PLAIN}</auth>${behind}`);
      expect(await ended(client)).toBe('policy-violation');
      expect(failures(client.inbox)).toEqual([]);
      return server.node.sessions.size;
    });
    expect(sessions).toBe(2);
  });

  test('sends a stanza behind a wrong password: the login fails, and the stream ends', async () => {
    await undisturbed(server, async () => {
      const client = await opened();
      client.send(`<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${base64('\0mercutio\0wrong')}</auth>${MESSAGE}`);
      expect(await ended(client)).toBe('not-authorized');
      expect(failures(client.inbox)).toEqual(['not-authorized']);
    });
  });

  test('sends everything at once: none of it is done', async () => {
    await undisturbed(server, async () => {
      const client = server.connect();
      const header = `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;
      client.send(`${header}<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${PLAIN}</auth>${header}${BIND}${MESSAGE}`);
      await client.closed;
      expect(server.node.sessions.size).toBe(2);
    });
  });
});

describe('a client that has logged in', () => {
  async function loggedIn(): Promise<TestClient> {
    const client = await opened();
    expect(conditionOf(await plain(client, 'mercutio', 'secret'))).toBe('success');
    await features(client);
    return client;
  }

  test.each([
    ['as somebody else', base64('\0juliet\0secret')],
    ['as itself', PLAIN],
  ])('may not log in again, %s', async (_, text) => {
    await server.account('juliet@localhost');
    const client = await loggedIn();
    sendAuth(client, 'PLAIN', text);
    expect(await ended(client)).toBe('policy-violation');
  });

  test('may not send a stanza before it has bound a resource', async () => {
    await undisturbed(server, async () => {
      const client = await loggedIn();
      client.send(MESSAGE);
      expect(await ended(client)).toBe('not-authorized');
    });
  });

  test('may not begin TLS any more', async () => {
    const client = await loggedIn();
    client.send(`<starttls xmlns='${NS.tls}'/>`);
    expect((await client.next()).is('failure', NS.tls)).toBe(true);
    await client.closed;
  });

  test('may not go on at another domain', async () => {
    const other = await startServer({ config: { domains: ['localhost', 'verona.lit'] } as never });
    await other.account('mercutio@localhost');
    const client = other.connect();
    client.open('localhost');
    await features(client);
    sendAuth(client, 'PLAIN', PLAIN);
    expect(conditionOf(await client.next())).toBe('success');
    client.open('verona.lit');
    expect(await ended(client)).toBe('invalid-from');
  });

  test('binds once: what comes later is a request like any other', async () => {
    const client = await loggedIn();
    client.send(BIND);
    expect((await client.nextIq()).attr('type')).toBe('result');
    for (const resource of ['street', 'other']) {
      const answer = await client.request('set', `<bind xmlns='${NS.bind}'><resource>${resource}</resource></bind>`);
      expect(answer.attr('type')).toBe('error');
    }
    expect([...server.node.sessions].map(({ jid }) => String(jid))).toEqual(['mercutio@localhost/street']);
  });

  test.each([
    [`<iq type='get' id='bind'><bind xmlns='${NS.bind}'/></iq>`, 'bad-request'],
    [`<iq type='set' id='bind'><unbind xmlns='${NS.bind}'/></iq>`, 'bad-request'],
    [
      `<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>${'x'.repeat(1024)}</resource></bind></iq>`,
      'bad-request',
    ],
    [`<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>a\u0007b</resource></bind></iq>`, undefined],
  ])('is told that %s is no binding', async (text, condition) => {
    const client = await loggedIn();
    client.send(text);
    if (condition === undefined) {
      expect(await ended(client)).toBe('not-well-formed');
      return;
    }
    const answer = await client.nextIq();
    expect(answer.child('error')?.firstChild?.name).toBe(condition);
    client.send(BIND);
    expect((await client.nextIq()).attr('type')).toBe('result');
  });

  test('gets no answer to an answer', async () => {
    const client = await loggedIn();
    client.send(`<iq type='result' id='1'><bind xmlns='${NS.bind}'/></iq>`);
    expect(await ended(client)).toBe('not-authorized');
    expect(client.inbox.filter(({ name }) => name === 'iq')).toEqual([]);
  });

  test('takes over a resource of its own, and no other', async () => {
    const first = await server.client('mercutio@localhost/street');
    const second = await server.client('mercutio@localhost/street');
    expect(await ended(first)).toBe('conflict');
    expect(await second.sync()).toEqual([]);
    expect(server.node.sessions.size).toBe(1);
  });
});

describe('an exchange', () => {
  test.each([
    ['a response to nothing', `<response xmlns='${NS.sasl}'>${PLAIN}</response>`, 'malformed-request'],
    ['an abort of nothing', `<abort xmlns='${NS.sasl}'/>`, 'aborted'],
    ['a challenge', `<challenge xmlns='${NS.sasl}'/>`, undefined],
    ['a success', `<success xmlns='${NS.sasl}'/>`, undefined],
    ['no mechanism', `<auth xmlns='${NS.sasl}'>${PLAIN}</auth>`, 'invalid-mechanism'],
    ['a mechanism that is not offered', `<auth xmlns='${NS.sasl}' mechanism='ANONYMOUS'/>`, 'invalid-mechanism'],
    ['a mechanism by a strange name', `<auth xmlns='${NS.sasl}' mechanism='__proto__'/>`, 'invalid-mechanism'],
    ['elements for text', `<auth xmlns='${NS.sasl}' mechanism='PLAIN'><a/></auth>`, 'malformed-request'],
    ['text that is no base64', `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>!</auth>`, 'incorrect-encoding'],
    [
      'the authority of somebody else',
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${base64('juliet@localhost\0mercutio\0secret')}</auth>`,
      'invalid-authzid',
    ],
    [
      'the authority of a resource',
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${base64('mercutio@localhost/a\0mercutio\0secret')}</auth>`,
      'invalid-authzid',
    ],
    [
      'an account of another domain',
      `<auth xmlns='${NS.sasl}' mechanism='PLAIN'>${base64('\0mercutio@verona.lit\0secret')}</auth>`,
      'not-authorized',
    ],
  ])('with %s gets nobody in', async (_, text, condition) => {
    await server.account('juliet@localhost');
    const client = await opened();
    client.send(text);
    if (condition === undefined) {
      expect(await ended(client)).toBe('unsupported-stanza-type');
      return;
    }
    expect(conditionOf(await client.next())).toBe(condition);
    // it may be tried again, rightly
    expect(conditionOf(await plain(client, 'mercutio', 'secret'))).toBe('success');
  });

  test('that is begun a hundred times and never ended ends the stream', async () => {
    const client = await opened();
    const begin = `<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-1'>${base64('n,,n=mercutio,r=x')}</auth>`;
    client.send(begin.repeat(100));
    expect(await ended(client)).toBe('policy-violation');
  });
});

describe('a client that sends little', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test.each([
    ['a header', '', (second: number) => `<?xml version='1.0'?><stream:stream to='localhost'`[second] as string],
    [
      'white space',
      `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
      () => ' ',
    ],
    [
      'logins',
      `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
      (second: number) => (second % 10 === 0 ? `<abort xmlns='${NS.sasl}'/>` : '\n'),
    ],
  ])('of %s, second by second, has as much time as all others', async (_, first, more) => {
    const client = server.connect();
    client.send(first);
    for (let second = 0; second < 30; second++) {
      expect(server.node.streams.size).toBe(1);
      client.send(more(second));
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(await ended(client)).toBe('connection-timeout');
    expect(server.node.streams.size).toBe(0);
  });
});

test('what is offered to strangers tells nothing about accounts', async () => {
  const client = await opened();
  expect(mechanismsOf(client.features as Element).length).toBeGreaterThan(0);
  expect(String(client.features)).not.toContain('mercutio');
});
