import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type BearerOutcome, bearer, bearer2 } from '../../../../../tests/support/bearer.ts';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { inSeconds, TestProvider } from '../../../../../tests/support/identity-provider.ts';
import {
  answer,
  base64,
  conditionOf,
  features,
  isIn,
  mechanismsOf,
  plain,
  sendAuth,
} from '../../../../../tests/support/login.ts';
import type { MemoryTransport } from '../../../../../tests/support/memory-transport.ts';
import { AGENT, addressIn, offerOf, show, tokenIn, wantToken } from '../../../../../tests/support/sasl2.ts';
import { startServer, type TestServer } from '../../../../../tests/support/server.ts';
import bind2 from '../../xeps/0386-bind2.ts';
import sasl2 from '../../xeps/0388-sasl2/sasl2.ts';
import fast from '../../xeps/0484-fast/fast.ts';

let provider: TestProvider;
let server: TestServer;

async function start(settings: object, mechanisms = ['OAUTHBEARER', 'PLAIN']): Promise<void> {
  server = await startServer({
    modules: [sasl2, bind2, fast],
    config: {
      limits: { logins: { delaySeconds: 0 } },
      authentication: { mechanisms },
      identityProviders: [settings],
    },
  });
  for (const name of ['juliet', 'romeo']) await server.account(`${name}@localhost`);
}

function connect(prepare?: (transport: MemoryTransport) => void): TestClient {
  const client = server.connect(prepare);
  client.open('localhost');
  return client;
}

const outcomeOf = ({ end, told }: BearerOutcome) => told?.status ?? conditionOf(end);
const tryToken = async (token: string, authzid?: string) => outcomeOf(await bearer(connect(), token, authzid));

/** Claims, the times among them as they are when the test runs. */
const given = (claims: object | (() => object)): object => (typeof claims === 'function' ? claims() : claims);

/** Nothing that happens takes any time, by the clock that says how long something is remembered. */
function timeStandsStill(): void {
  vi.spyOn(performance, 'now').mockReturnValue(performance.now());
}

beforeEach(async () => {
  provider = await TestProvider.start();
});

describe('signed tokens', () => {
  beforeEach(() => start(provider.signed()));

  test('log in by the SASL of RFC 6120, and by SASL2', async () => {
    const client = connect();
    expect(mechanismsOf(await features(client))).toEqual(['OAUTHBEARER', 'PLAIN']);
    expect(outcomeOf(await bearer(client, await provider.token(), 'juliet@localhost'))).toBe('success');
    expect(await isIn(client)).toBe(true);
    const other = connect();
    await offerOf(other);
    const { end } = await bearer2(other, await provider.token());
    expect(addressIn(end)).toBe('juliet@localhost');
    expect(provider.asked.get('/keys')).toBe(1);
  });

  test.each<[string, object | (() => object), string]>([
    ['has expired', () => ({ exp: inSeconds(-31) }), 'invalid_token'],
    ['has expired a moment ago, by our clock', () => ({ exp: inSeconds(-10) }), 'success'],
    ['has no end', { exp: undefined }, 'invalid_token'],
    ['is not good yet', () => ({ nbf: inSeconds(60) }), 'invalid_token'],
    ['is good in a moment, by our clock', () => ({ nbf: inSeconds(10) }), 'success'],
    ['is too old to know whether it was revoked', () => ({ iat: inSeconds(-31 * 86_400) }), 'invalid_token'],
    ['does not say when it was made', { iat: undefined }, 'invalid_token'],
    ['is for somebody else', { aud: 'a-shop' }, 'invalid_token'],
    ['is for several', { aud: ['a-shop', 'xmpp'] }, 'success'],
    ['is for nobody', { aud: undefined }, 'invalid_token'],
    ['is of another issuer', { iss: 'http://127.0.0.1' }, 'invalid_token'],
    ['is not good for messages', { scope: 'openid' }, 'insufficient_scope'],
    ['is good for nothing', { scope: undefined }, 'insufficient_scope'],
    ['has its scopes as a list', { scope: undefined, scp: ['xmpp:client:normal'] }, 'success'],
    ['is bound to a key (RFC 9449 §6.1)', { cnf: { jkt: 'a-thumbprint' } }, 'invalid_token'],
    ['names nobody', { preferred_username: undefined }, 'invalid_token'],
    ['names somebody in capitals', { preferred_username: 'Juliet' }, 'success'],
    ['names somebody in wide letters', { preferred_username: '\uff4auliet' }, 'invalid_token'],
    ['names somebody with an address', { preferred_username: 'juliet@localhost' }, 'invalid_token'],
    ['names no name', { preferred_username: 7 }, 'invalid_token'],
    ['names somebody whom we do not know', { preferred_username: 'rosaline' }, 'not-authorized'],
  ])('one that %s', async (_, claims, expected) => {
    expect(await tryToken(await provider.token(given(claims)))).toBe(expected);
  });

  test.each(['JWT', 'application/jwt', 'dpop+jwt', undefined])('one of the type %s is none of these', async (typ) => {
    expect(await tryToken(await provider.token({}, { typ }))).toBe('invalid_token');
  });

  test('one for somebody else is not good for the account that the client wants', async () => {
    expect(await tryToken(await provider.token(), 'romeo@localhost')).toBe('invalid-authzid');
    expect(await tryToken(await provider.token({ preferred_username: 'romeo' }), 'romeo@localhost')).toBe('success');
  });

  test('one that was tampered with, or is not signed, or by somebody else, or by what everybody knows', async () => {
    const token = await provider.token();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const romeo = encoded({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), preferred_username: 'romeo' });
    const claims = provider.claims({ iss: provider.server.issuer.url, exp: inSeconds(60), iat: inSeconds(0) });
    const by = (alg: string, key: Parameters<SignJWT['sign']>[0], more = {}) =>
      new SignJWT(claims as never).setProtectedHeader({ alg, typ: 'at+jwt', kid: 'first', ...more }).sign(key);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const publicKey = JSON.stringify(provider.server.issuer.keys.toJSON()[0]);
    const confused = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid: 'first' })}.${payload}`;
    const mac = createHmac('sha256', publicKey).update(confused).digest('base64url');
    const tokens = [
      `${header}.${romeo}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${encoded({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${confused}.${mac}`,
      await by('ES256', stranger.privateKey),
      await by('ES256', stranger.privateKey, { jwk: stranger.publicKey.export({ format: 'jwk' }) }),
      'x',
      '...',
    ];
    const outcomes: string[] = [];
    for (const each of tokens) outcomes.push(await tryToken(each));
    expect(outcomes).toEqual(tokens.map(() => 'invalid_token'));
    expect(await tryToken(token)).toBe('success');
  });

  test('a key that is new is asked for, and a flood of keys that nobody has asks no more often than that', async () => {
    expect(await tryToken(await provider.token())).toBe('success');
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => tryToken(await provider.token({}, { kid: `unknown-${i}` }))),
    );
    expect(new Set(outcomes)).toEqual(new Set(['invalid_token']));
    expect(provider.asked.get('/keys')).toBe(1); // just asked for: not again so soon
  });

  test('a refusal is told as JSON, and so is where to get a token', async () => {
    const { told, end } = await bearer(connect(), '');
    expect(told).toEqual({
      status: 'invalid_token',
      scope: 'xmpp:client:normal',
      'openid-configuration': `${provider.server.issuer.url}/.well-known/openid-configuration`,
    });
    expect(conditionOf(end)).toBe('not-authorized');
    expect(outcomeOf(await bearer2(connect(), ''))).toBe('invalid_token');
    // to ask is no failure to log in
    expect(server.log.filter(({ event }) => event === 'login.failed')).toEqual([]);
    expect(provider.asked.size).toBe(0);
  });

  test('a client may ask, and log in on the same stream', async () => {
    const client = connect();
    for (let i = 0; i < 5; i++) await bearer(client, '');
    expect(outcomeOf(await bearer(client, await provider.token()))).toBe('success');
  });

  test('guesses are counted as wrong passwords are', async () => {
    const client = connect();
    for (let i = 0; i < 5; i++) expect(outcomeOf(await bearer(client, 'a.b.c'))).toBe('invalid_token');
    await expect(bearer(client, await provider.token())).rejects.toThrow('closed');
  });

  test('nothing is taken in clear text', async () => {
    await start(provider.signed(), ['OAUTHBEARER', 'SCRAM-SHA-1']);
    const client = connect((transport) => {
      transport.tls = undefined;
    });
    expect(String(await features(client))).not.toContain('OAUTHBEARER');
    expect(outcomeOf(await bearer(client, await provider.token()))).toBe('encryption-required');
    expect(provider.asked.size).toBe(0);
  });

  test.each(['', 'bg==', '====', Buffer.from('n,,\x01auth=Basic x\x01\x01').toString('base64')])(
    '%j is no message',
    async (text) => {
      const client = connect();
      sendAuth(client, 'OAUTHBEARER', text);
      const said = await client.take(({ ns }) => ns === 'urn:ietf:params:xml:ns:xmpp-sasl');
      expect(['challenge', 'malformed-request', 'incorrect-encoding']).toContain(conditionOf(said));
    },
  );

  test('a huge token ends the stream before anybody looks at it', async () => {
    const client = connect();
    await expect(bearer(client, 'x'.repeat(10_000))).rejects.toThrow('closed');
    expect(provider.asked.size).toBe(0);
  });

  test('an account that is shut is told so, and one that comes to be is logged out at once', async () => {
    const client = connect();
    await offerOf(client);
    expect((await bearer2(client, await provider.token(), `<bind xmlns='urn:xmpp:bind:0'/>`)).end.name).toBe('success');
    expect(server.sessions).toHaveLength(1);
    await server.accounts.disable?.(server.sessions[0]?.account as never);
    expect(server.sessions).toHaveLength(0);
    expect(await tryToken(await provider.token())).toBe('account-disabled');
  });

  test('a client gets a token of ours on top, which is good no longer than what was granted', async () => {
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now);
    const { end } = await bearer2(connect(), await provider.token(), AGENT + wantToken());
    const expiry = Date.parse(end.child('token', 'urn:xmpp:fast:0')?.attr('expiry') ?? '');
    expect(expiry - now).toBeGreaterThan(86_398_000);
    expect(expiry - now).toBeLessThanOrEqual(86_400_000);
    const again = await show(connect(), tokenIn(end) ?? '', { content: wantToken() });
    const next = Date.parse(again.child('token', 'urn:xmpp:fast:0')?.attr('expiry') ?? '');
    expect(next).toBe(expiry);
  });

  // XEP-0474 §6.1, XEP-0440 §2: whoever hides it, or shows it to a client that would do better, is found out
  test('is part of what SCRAM proves that was offered', async () => {
    await start(provider.signed(), ['OAUTHBEARER', 'SCRAM-SHA-256']);
    const client = connect((transport) => void transport.bindings.set('tls-exporter', Buffer.from('exported')));
    const offer = await features(client);
    expect(mechanismsOf(offer)).toEqual(['SCRAM-SHA-256-PLUS', 'OAUTHBEARER', 'SCRAM-SHA-256']);
    expect(String(offer)).toContain(`<channel-binding type='tls-exporter'/>`);
    sendAuth(client, 'SCRAM-SHA-256', base64('n,,n=juliet,r=nonce'));
    const challenge = Buffer.from((await answer(client)).text, 'base64').toString();
    const offered = 'OAUTHBEARER\x1eSCRAM-SHA-256\x1eSCRAM-SHA-256-PLUS\x1ftls-exporter';
    expect(challenge).toContain(`,h=${createHash('sha256').update(offered).digest('base64')},t=0304`);
  });

  test('passwords log in beside it', async () => {
    expect(conditionOf(await plain(connect(), 'juliet', 'secret'))).toBe('success');
  });
});

test('no token of ours is given where the configuration does not want that', async () => {
  await start(provider.signed({ comeBackSeconds: 0 }));
  const { end } = await bearer2(connect(), await provider.token(), AGENT + wantToken());
  expect([end.name, tokenIn(end)]).toEqual(['success', undefined]);
});

test('keys that the provider changes are asked for, once what is known has been so for a while', async () => {
  await start(provider.signed());
  await tryToken(await provider.token());
  vi.spyOn(performance, 'now').mockImplementation(() => Date.now() + 3_600_000);
  await provider.server.issuer.keys.generate('ES256', { kid: 'second' });
  const second = await provider.server.issuer.buildToken({
    kid: 'second',
    scopesOrTransform: (header, payload) => {
      header.typ = 'at+jwt';
      Object.assign(payload, provider.claims());
    },
  });
  expect(await tryToken(second)).toBe('success');
});

test('while the provider is away, tokens are checked by the keys that are known', async () => {
  await start(provider.signed());
  const token = await provider.token();
  expect(await tryToken(token)).toBe('success');
  await provider.stop();
  expect(await tryToken(token)).toBe('success');
});

test('a provider that is away, or silent, keeps nobody else waiting, and is told of once', async () => {
  await start(provider.signed({ timeoutSeconds: 1 }));
  timeStandsStill();
  provider.silent = true;
  const waiting = tryToken(await provider.token());
  expect(conditionOf(await plain(connect(), 'romeo', 'secret'))).toBe('success');
  expect(await waiting).toBe('temporary-auth-failure');
  expect(await tryToken(await provider.token())).toBe('temporary-auth-failure');
  expect(server.log.filter(({ event }) => event === 'oauth.provider.away')).toHaveLength(1);
  const { metrics } = server.node.registry;
  expect(metrics.providersAway.with({ provider: 'corporate' }).value).toBe(1);
  // the second time it is left in peace
  expect(metrics.providerCalls.with({ operation: 'keys', outcome: 'late' }).value).toBe(1);
});

test('what a reload changes is in force for the next login, and a file that is no good changes nothing', async () => {
  await start(provider.signed());
  const { node } = server;
  const reload = (more: object) => {
    const next = structuredClone(node.config);
    Object.assign(next.identityProviders[0] as object, more);
    return node.reload(next);
  };
  const shop = await provider.token({ aud: 'a-shop' });
  expect(await tryToken(shop)).toBe('invalid_token');
  expect((await reload({ audience: ['a-shop'] })).live).toEqual(['identityProviders[corporate].audience']);
  expect([await tryToken(shop), await tryToken(await provider.token())]).toEqual(['success', 'invalid_token']);
  await expect(reload({ audience: ['xmpp'], authorities: '/nowhere.pem' })).rejects.toThrow('cannot be read');
  expect(await tryToken(shop)).toBe('success');
});

test('whoever comes for the first time gets an account, where the configuration says so', async () => {
  await start(provider.signed({ account: { claim: 'preferred_username', domain: 'localhost', create: true } }));
  const rosaline = await provider.token({ preferred_username: 'rosaline' });
  expect(await tryToken(rosaline)).toBe('success');
  expect(await tryToken(rosaline)).toBe('success');
  expect(server.audit.filter(({ event }) => event === 'oauth.account-made')).toHaveLength(1);
  expect(conditionOf(await plain(connect(), 'rosaline', ''))).not.toBe('success');
});

describe('tokens that the provider is asked about', () => {
  const opaque = (claims: object = {}) => {
    const token = `opaque-${provider.active.size}`;
    provider.active.set(token, { token_type: 'Bearer', exp: inSeconds(60), ...provider.claims(claims) });
    return token;
  };

  beforeEach(() => start(provider.introspected({ audience: ['xmpp'] })));

  test('log in, and are asked about once in a while', async () => {
    const token = opaque();
    expect(await tryToken(token)).toBe('success');
    expect(await tryToken(token)).toBe('success');
    expect(provider.asked.get('/introspection')).toBe(1);
  });

  test.each<[string, object | (() => object), string]>([
    ['has expired, whatever the provider says', () => ({ exp: inSeconds(-60) }), 'invalid_token'],
    ['is not good yet', () => ({ nbf: inSeconds(60) }), 'invalid_token'],
    ['is for somebody else', { aud: ['a-shop'] }, 'invalid_token'],
    ['is of another issuer', { iss: 'https://evil.example' }, 'invalid_token'],
    ['is bound to a key', { token_type: 'DPoP' }, 'invalid_token'],
    ['is bound to a certificate (RFC 8705 §3.2)', { cnf: { 'x5t#S256': 'a-thumbprint' } }, 'invalid_token'],
    ['is not good for messages', { scope: 'openid' }, 'insufficient_scope'],
    ['is very old', () => ({ iat: inSeconds(-31 * 86_400) }), 'invalid_token'],
  ])('one that %s', async (_, claims, expected) => {
    expect(await tryToken(opaque(given(claims)))).toBe(expected);
  });

  test('one that was revoked lets nobody in, once what was said before is not believed any more', async () => {
    await start(provider.introspected({ introspection: { ...provider.introspected().introspection, keepSeconds: 0 } }));
    const token = opaque();
    expect(await tryToken(token)).toBe('success');
    provider.active.delete(token);
    expect(await tryToken(token)).toBe('invalid_token');
  });

  test('the same guess is asked about once', async () => {
    for (let i = 0; i < 3; i++) expect(await tryToken('a-guess')).toBe('invalid_token');
    await Promise.all(Array.from({ length: 3 }, () => tryToken('another-guess')));
    expect(provider.asked.get('/introspection')).toBe(2);
  });

  test('a provider that does not know us is told of', async () => {
    const introspection = { ...provider.introspected().introspection, clientSecret: 'another one' };
    await start(provider.introspected({ introspection }));
    expect(await tryToken(opaque())).toBe('temporary-auth-failure');
    const [told] = server.log.filter(({ event }) => event === 'oauth.provider.away');
    expect(told?.message).toContain('401');
  });

  test.each([400, 403, 413])('one that is answered by %d keeps nobody else out', async (status) => {
    provider.offending.set('../../etc/passwd', status);
    expect(await tryToken('../../etc/passwd')).toBe('invalid_token');
    expect(await tryToken(opaque())).toBe('success');
    expect(server.log.filter(({ event }) => event === 'oauth.provider.away')).toEqual([]);
    expect(server.log.find(({ event }) => event === 'oauth.token-refused')?.reason).toContain(String(status));
  });

  test('too many that wait are sent away', async () => {
    const settings = provider.introspected({ connections: 1, mostWaiting: 1, timeoutSeconds: 1 });
    await start(settings);
    timeStandsStill();
    provider.silent = true;
    const outcomes = await Promise.all(Array.from({ length: 5 }, (_, i) => tryToken(`token-${i}`)));
    expect(new Set(outcomes)).toEqual(new Set(['temporary-auth-failure']));
    expect(provider.asked.get('/introspection')).toBeLessThan(3);
  });
});
