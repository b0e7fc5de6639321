import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration } from '@parley/server/config/schema';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Initiator } from '../services/initiator.ts';
import { Kdc } from '../services/kdc.ts';
import type { TestClient } from '../support/client.ts';
import { conditionOf, features, isIn, mechanismsOf, sendAuth } from '../support/login.ts';
import type { MemoryTransport } from '../support/memory-transport.ts';
import { sasl2Exchange } from '../support/sasl-exchange.ts';
import { AGENT, addressIn, offerOf, show, tokenIn, wantToken } from '../support/sasl2.ts';
import { type Partly, startServer, type TestServer } from '../support/server.ts';
import { exchangeOf, type GssapiAttempt, gssapi, SASL } from './gssapi-login.ts';

const juliet = Jid.parse('juliet@localhost');

let kdc: Kdc;
let keytab: string;
let her: Initiator;

beforeAll(async () => {
  kdc = await Kdc.startLasting();
  await kdc.people('juliet', 'Juliet', 'juliet/admin', 'nobody');
  keytab = await kdc.keytab(
    'xmpp/localhost',
    'HTTP/localhost',
    'xmpp/chat.localhost/localhost',
    'xmpp/localhost/other.org',
  );
  her = new Initiator(await kdc.login('juliet'));
});
afterAll(async () => {
  her.end();
  await kdc.end();
});
beforeEach(() => {
  for (const [name, value] of Object.entries(kdc.serverEnv())) vi.stubEnv(name, value);
});

const logIn = async (name: string) => Initiator.of(await kdc.login(name));

type Rules = Partly<Configuration['authentication']['kerberos']>;

async function start(kerberos: Rules = {}): Promise<TestServer> {
  const server = await startServer({ config: configuration(kerberos) });
  await server.account('juliet@localhost');
  return server;
}

const configuration = (kerberos: Rules) => ({
  authentication: { mechanisms: ['GSSAPI', 'PLAIN'], kerberos: { keytab, ...kerberos } },
  limits: { logins: { delaySeconds: 0 } },
});

async function connected(server: TestServer, prepare?: (transport: MemoryTransport) => void) {
  const client = server.connect(prepare);
  client.open('localhost');
  return { client, offer: await features(client) };
}

/** One login; the condition where it fails, `success` otherwise. */
async function outcome(server: TestServer, attempt: GssapiAttempt = {}, initiator = her): Promise<string> {
  const { client } = await connected(server);
  const { end } = await gssapi(exchangeOf(client), initiator, attempt);
  if (end.name !== 'success') return conditionOf(end);
  return (await isIn(client)) ? 'success' : 'not in';
}

const reasons = ({ log }: TestServer) =>
  log.filter(({ event }) => event === 'kerberos.refused').map((line) => line.reason);

describe('somebody with a ticket', () => {
  test('is in without a password, and is told no security layer', async () => {
    const server = await start();
    const { client, offer } = await connected(server);
    expect(mechanismsOf(offer)).toEqual(['GSSAPI', 'PLAIN']);
    const { end, offered } = await gssapi(exchangeOf(client), her);
    expect(end.name).toBe('success');
    expect(offered).toEqual(Buffer.from([1, 0, 0, 0]));
    client.send(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`);
    const bound = await client.take((element) => element.attr('id') === 'bind');
    expect(bound.firstChild?.childText('jid')).toMatch(/^juliet@localhost\//);
    expect(server.count(({ logins }) => logins.with({ mechanism: 'GSSAPI', outcome: 'success' }))).toBe(1);
  });

  test.each<[string, GssapiAttempt]>([
    ['that waits to be asked', { silent: true }],
    ['that names the account', { authzid: 'juliet@localhost' }],
    ['that names it in another form', { authzid: 'JULIET@localhost' }],
    ['that names its local part alone, as slixmpp and Pidgin do', { authzid: 'juliet' }],
    ['that could take long messages', { layer: [1, 0, 255, 255] }],
    ['whose ticket is for a host and a domain (XEP-0233)', { service: 'xmpp/chat.localhost/localhost@LOCALHOST' }],
  ])('gets in by a client %s', async (_, attempt) => {
    expect(await outcome(await start(), attempt)).toBe('success');
  });

  test('gets in while the KDC is down', async () => {
    const server = await start();
    const ready = await logIn('juliet');
    await ready.begin('xmpp/localhost@LOCALHOST'); // it has the ticket for the service now
    await kdc.stop();
    onTestFinished(() => kdc.startAgain());
    expect(await outcome(server, {}, ready)).toBe('success');
  });

  test('gets in by a key that was made while the server runs, and by the one before', async () => {
    const server = await start();
    expect(await outcome(server)).toBe('success');
    await kdc.newKeys(keytab, 'xmpp/localhost');
    expect(await outcome(server, {}, await logIn('juliet'))).toBe('success');
    expect(await outcome(server)).toBe('success'); // the ticket that she has is for the key before
  });

  test('gets a session and a token with the login by SASL2, and comes back by the token', async () => {
    const server = await start();
    const client = server.connect();
    client.open('localhost', 'juliet@localhost');
    expect((await offerOf(client)).elements.map(({ text }) => text)).toContain('GSSAPI');
    const { end } = await gssapi(inSasl2(client, `${AGENT}<bind xmlns='${NS.bind2}'/>${wantToken()}`), her);
    expect(addressIn(end)).toMatch(/^juliet@localhost\//);
    const back = server.connect();
    back.open('localhost', 'juliet@localhost');
    expect((await show(back, tokenIn(end) ?? '')).name).toBe('success');
  });
});

const inSasl2 = (client: TestClient, content: string) => sasl2Exchange(client, 'GSSAPI', content);

/** arcfour-hmac (RFC 4757) */
const RC4 = 23;

const flipped = (at: number) => (message: Buffer, index: number) => {
  if (index === at) message[message.length - 9] = (message.at(-9) ?? 0) ^ 1;
  return message;
};

describe('nobody gets in', () => {
  test.each<[string, GssapiAttempt, string, RegExp?]>([
    ['by a ticket that was changed on the way', { tamper: flipped(0) }, 'not-authorized', /integrity/],
    ['by a choice of layers that was changed on the way', { tamper: flipped(2) }, 'not-authorized'],
    ['by something that is no token', { tamper: () => Buffer.from('no token') }, 'not-authorized'],
    [
      'by a message where none is expected',
      { tamper: (each, at) => (at === 1 ? Buffer.from('x') : each) },
      'malformed-request',
    ],
    ['as somebody else', { authzid: 'romeo@localhost' }, 'invalid-authzid'],
    ['as somebody else by the local part', { authzid: 'romeo' }, 'invalid-authzid'],
    ['with a layer that signs', { layer: [2, 0, 255, 255] }, 'malformed-request'],
    ['with a layer that encrypts', { layer: [4, 0, 255, 255] }, 'malformed-request'],
    ['with several layers', { layer: [7, 0, 0, 0] }, 'malformed-request'],
    ['with a choice that is cut off', { layer: [1, 0] }, 'malformed-request'],
    [
      'by a ticket for another service of the keytab',
      { service: 'HTTP/localhost@LOCALHOST' },
      'not-authorized',
      /HTTP\/localhost/,
    ],
    [
      'by a ticket for another domain',
      { service: 'xmpp/localhost/other.org@LOCALHOST' },
      'not-authorized',
      /other\.org/,
    ],
    ['who does not ask for a proof of the server', { mutual: false }, 'not-authorized', /proof/],
  ])('%s', async (_, attempt, condition, reason = /(?:)/) => {
    const server = await start();
    expect(await outcome(server, attempt)).toBe(condition);
    if (condition === 'not-authorized') expect(reasons(server)).toEqual([expect.stringMatching(reason)]);
  });

  test('by a ticket for a service whose key is not here', async () => {
    await kdc.keytab('xmpp/elsewhere');
    const server = await start();
    expect(await outcome(server, { service: 'xmpp/elsewhere@LOCALHOST' })).toBe('not-authorized');
    expect(reasons(server)).toEqual([expect.stringContaining('xmpp/elsewhere')]);
  });

  test('by a ticket of RC4, whose messages could be said again', async () => {
    const file = join(kdc.folder, 'old.keytab');
    await kdc.administer(
      'addprinc -randkey -e arcfour-hmac:normal xmpp/old',
      `ktadd -k ${file} -e arcfour-hmac:normal xmpp/old`,
    );
    const server = await start({ keytab: file });
    const attempt = { service: 'xmpp/old@LOCALHOST' };
    expect(await outcome(server, attempt)).toBe('success'); // by a key of AES that the two make in spite of it
    expect(await outcome(server, { ...attempt, encryption: RC4 }, await logIn('juliet'))).toBe('not-authorized');
    expect(reasons(server)).toEqual([expect.stringContaining('RC4')]);
  });

  test('by a message that is too long, or by more of them than Kerberos has', async () => {
    const server = await startServer({
      config: { ...configuration({}), stream: { beforeAuthentication: { maxElementBytes: 200_000 } } },
    });
    const { client } = await connected(server);
    sendAuth(client, 'GSSAPI', Buffer.alloc(65_537).toString('base64'));
    expect(conditionOf(await client.take(({ ns }) => ns === SASL))).toBe('malformed-request');
    sendAuth(client, 'GSSAPI', Buffer.alloc(65_536).toString('base64'));
    expect(conditionOf(await client.take(({ ns }) => ns === SASL))).toBe('not-authorized');
    sendAuth(client, 'GSSAPI', '=');
    expect(conditionOf(await client.take(({ ns }) => ns === SASL))).toBe('malformed-request');
  });

  test('by a ticket that has expired', async () => {
    vi.stubEnv('KRB5_CONFIG', kdc.serverEnv({ strict: true }).KRB5_CONFIG);
    const server = await start();
    const { client } = await connected(server);
    const tickets = kdc.noTickets();
    const initiator = Initiator.of(tickets);
    await expect(initiator.begin('xmpp/localhost@LOCALHOST')).rejects.toThrow(); // it runs now, and has no tickets
    let token: Buffer | undefined;
    let expired = 0;
    // on a busy machine it may be over before it was used
    for (let seconds = 2; token === undefined; seconds *= 2) {
      await kdc.login('juliet', ['-l', `${seconds}s`], tickets);
      expired = Date.now() + (seconds + 2) * 1000; // a second more or less is forgiven here
      token = await initiator.begin('xmpp/localhost@LOCALHOST').catch(() => undefined);
    }
    while (Date.now() < expired) await delay(100);
    sendAuth(client, 'GSSAPI', token.toString('base64'));
    expect(conditionOf(await client.take(({ ns }) => ns === SASL))).toBe('not-authorized');
    expect(reasons(server)).toEqual([expect.stringMatching(/expired/i)]);
  });

  test('by what somebody else has said, on the same machine or on another one', async () => {
    const here = await start();
    const { client } = await connected(here);
    const { end, sent } = await gssapi(exchangeOf(client), her);
    expect(end.name).toBe('success');
    const replay = async (server: TestServer) => {
      const { client: thief } = await connected(server);
      const exchange = exchangeOf(thief);
      exchange.begin(sent[0]);
      const heard = [await exchange.next()];
      for (const message of sent.slice(1)) {
        if (heard.at(-1)?.name !== 'challenge') break;
        exchange.respond(message);
        heard.push(await exchange.next());
      }
      return heard.map(conditionOf);
    };
    expect(await replay(here)).toEqual(['not-authorized']);
    expect(reasons(here)).toEqual([expect.stringContaining('replay')]);
    // a machine that has not seen the ticket takes it, and makes another key of its own, which the thief does not have
    const cache = mkdtempSync(join(tmpdir(), 'parley-replays-'));
    onTestFinished(() => rmSync(cache, { recursive: true }));
    for (const [name, value] of Object.entries(kdc.serverEnv({ cache }))) vi.stubEnv(name, value);
    expect(await replay(await start())).toEqual(['challenge', 'challenge', 'not-authorized']);
  });

  test('from an address that has shown too many tickets that were no good', async () => {
    const server = await startServer({
      config: { ...configuration({}), limits: { logins: { delaySeconds: 0, failuresPerAddress: 2 } } },
    });
    await server.account('juliet@localhost');
    for (let each = 0; each < 2; each++) expect(await outcome(server, { tamper: flipped(0) })).toBe('not-authorized');
    expect(await outcome(server)).toBe('temporary-auth-failure');
    expect(server.exceeded('login-failures-per-address')).toBe(1);
  });

  test('by the mechanism in clear text, where it is not offered', async () => {
    const server = await startServer({ config: { ...configuration({}), tls: { required: false } } });
    const clear = (transport: MemoryTransport) => {
      transport.tls = undefined;
    };
    const { client, offer } = await connected(server, clear);
    expect(mechanismsOf(offer)).not.toContain('GSSAPI');
    const { end } = await gssapi(exchangeOf(client), her);
    expect(conditionOf(end)).toBe('encryption-required');
  });
});

describe('an account', () => {
  test('that is disabled is told so to its owner, and one that is not there is told as a wrong ticket is', async () => {
    const server = await start();
    const { client } = await connected(server);
    const unknown = await gssapi(exchangeOf(client), await logIn('nobody'));
    const { client: other } = await connected(server);
    const wrong = await gssapi(exchangeOf(other), her, { tamper: flipped(0) });
    expect(String(unknown.end)).toBe(String(wrong.end));
    await server.accounts.disable?.(juliet);
    expect(await outcome(server)).toBe('account-disabled');
  });

  test.each<[string, Rules, string]>([
    ['juliet', { realms: [{ name: 'OTHER.ORG', domain: 'localhost' }] }, 'not-authorized'],
    ['juliet', { realms: [{ name: 'LOCALHOST', domain: 'other.org' }] }, 'not-authorized'],
    ['juliet', { realms: [{ name: 'LOCALHOST', domain: 'localhost' }] }, 'success'],
    ['juliet/admin', {}, 'not-authorized'],
    ['juliet/admin', { principals: [{ name: 'juliet/admin@LOCALHOST', account: 'juliet@localhost' }] }, 'success'],
    ['Juliet', {}, 'not-authorized'],
    ['Juliet', { ignoreCase: true }, 'success'],
  ])('of %s by the rules %j: %s', async (name, rules, expected) => {
    const server = await start(rules);
    expect(await outcome(server, {}, await logIn(name))).toBe(expected);
    expect(reasons(server)).toHaveLength(expected === 'success' ? 0 : 1);
  });
});

describe('a ticket of another realm, which this one trusts', () => {
  const ours = { name: 'LOCALHOST', domain: 'localhost' };
  let elsewhere: Kdc;
  let visitor: Initiator;

  beforeAll(async () => {
    elsewhere = await Kdc.startLasting('ELSEWHERE.ORG');
    await elsewhere.people('juliet');
    await kdc.trusts(elsewhere);
    visitor = new Initiator(await elsewhere.login('juliet'));
  });
  afterAll(async () => {
    visitor.end();
    await elsewhere.end();
  });

  test.each<[string, Rules, string]>([
    ['is good for nothing here, though she is called as somebody here is', {}, 'not-authorized'],
    ['is good for nothing where others alone are named', { realms: [ours] }, 'not-authorized'],
    [
      'is good for nothing in a domain that her realm is not trusted with',
      { realms: [ours, { name: 'ELSEWHERE.ORG', domain: 'other.org' }] },
      'not-authorized',
    ],
    [
      'lets her in where her realm is named',
      { realms: [ours, { name: 'ELSEWHERE.ORG', domain: 'localhost' }] },
      'success',
    ],
    [
      'lets her in where she is named',
      { principals: [{ name: 'juliet@ELSEWHERE.ORG', account: 'juliet@localhost' }] },
      'success',
    ],
  ])('%s', async (_, rules, expected) => {
    const server = await start(rules);
    expect(await outcome(server, {}, visitor)).toBe(expected);
    const reason = expect.stringContaining('juliet@ELSEWHERE.ORG');
    expect(reasons(server)).toEqual(expected === 'success' ? [] : [reason]);
    expect(await outcome(server)).toBe('success'); // our own people come as ever
  });
});

describe('where tickets cannot be accepted', () => {
  test.each<[string, Rules, RegExp]>([
    ['the keytab is missing', { keytab: '/nowhere/at.all' }, /\/nowhere\/at\.all cannot be read \(ENOENT\)/],
    ['it is none', { keytab: import.meta.filename }, /is not a keytab/],
    ['the library is missing', { library: 'libnowhere.so.1' }, /libnowhere\.so\.1/],
    ['there is no key for the host that clients are told', { hostName: 'balancer.localhost' }, /balancer\.localhost/],
  ])('%s: the log says so, and it is not offered', async (_, rules, reason) => {
    const server = await start(rules);
    expect(server.log.find(({ event }) => event === 'kerberos.unusable')?.reason).toMatch(reason);
    const { client, offer } = await connected(server);
    expect(mechanismsOf(offer)).toEqual(['PLAIN']);
    sendAuth(client, 'GSSAPI', 'AAAA');
    expect(conditionOf(await client.take(({ ns }) => ns === SASL))).toBe('invalid-mechanism');
  });

  test('a keytab that goes away is noticed at the next login, and one that comes back at a reload', async () => {
    const server = await start();
    renameSync(keytab, `${keytab}.away`);
    expect(await outcome(server)).toBe('temporary-auth-failure');
    await server.node.reload(server.node.config);
    expect(mechanismsOf((await connected(server)).offer)).toEqual(['PLAIN']);
    renameSync(`${keytab}.away`, keytab);
    await server.node.reload(server.node.config);
    expect(await outcome(server)).toBe('success');
    expect(server.log.filter(({ event }) => event.startsWith('kerberos.')).map(({ event }) => event)).toEqual([
      'kerberos.ready',
      'kerberos.failed',
      'kerberos.unusable',
      'kerberos.ready',
    ]);
  });
});

test('clients are told the host that they need a ticket for, where it is configured', async () => {
  const server = await start({ hostName: 'chat.localhost' });
  const { offer } = await connected(server);
  expect(offer.child('mechanisms', SASL)?.childText('hostname', NS.domainBasedName)).toBe('chat.localhost');
});
