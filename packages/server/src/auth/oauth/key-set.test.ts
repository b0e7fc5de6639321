import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { KeySet } from './key-set.ts';
import { ProviderAway } from './provider-calls.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { checkSigned } from './signed-tokens.ts';

const HOUR = 3_600_000;
const settings = {
  issuer: 'https://id.example',
  audience: ['xmpp'],
  algorithms: ['ES256'],
  types: ['at+jwt'],
  clockSkewSeconds: 0,
} as unknown as ProviderSettings;

const pairs = new Map<string, { privateKey: CryptoKey; jwk: JWK }>();
let published: string[];
let withKids: boolean;
let away: boolean;
let asked: number;
let now: number;
let keys: KeySet;

beforeAll(async () => {
  for (const kid of ['first', 'second', 'third']) {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    pairs.set(kid, { privateKey, jwk: { ...(await exportJWK(publicKey)), alg: 'ES256' } });
  }
});

beforeEach(() => {
  [published, withKids, away, asked, now] = [['first'], true, false, 0, 0];
  keys = new KeySet({
    now: () => now,
    async fetch() {
      asked++;
      if (away) throw new ProviderAway('it is gone');
      return { keys: published.map((kid) => ({ ...pairs.get(kid)?.jwk, ...(withKids && { kid }) })) };
    },
  });
});

async function outcome(kid: string): Promise<string> {
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(withKids && { kid }) })
    .setIssuer(settings.issuer)
    .setAudience('xmpp')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(pairs.get(kid)?.privateKey as CryptoKey);
  try {
    await checkSigned(token, keys, settings);
    return 'good';
  } catch (error) {
    return (error as Error).name;
  }
}

test('they are asked for once, whoever comes meanwhile', async () => {
  expect(await Promise.all(['first', 'first', 'first'].map(outcome))).toEqual(['good', 'good', 'good']);
  expect(asked).toBe(1);
});

test('one that is not known is asked for, and not again so soon', async () => {
  await outcome('first');
  published = ['first', 'second'];
  expect(await outcome('second')).toBe('TokenRefused');
  now += 10_000;
  expect(await outcome('second')).toBe('good');
  for (let i = 0; i < 5; i++) expect(await outcome('third')).toBe('TokenRefused');
  expect(asked).toBe(2);
});

test('one that the provider has taken back is good no more, a while later', async () => {
  await outcome('first');
  published = ['second'];
  now += HOUR;
  expect(await outcome('first')).toBe('good'); // asked for behind its back
  await keys.refresh();
  expect(await outcome('first')).toBe('TokenRefused');
});

test('while the provider is away they are good for a day', async () => {
  await outcome('first');
  away = true;
  now += 23 * HOUR;
  expect(await outcome('first')).toBe('good');
  now += 2 * HOUR;
  expect(await outcome('first')).toBe('ProviderAway');
  away = false;
  expect(await outcome('first')).toBe('good');
});

test('where tokens do not say by which they are signed, each is tried', async () => {
  [withKids, published] = [false, ['first', 'second']];
  expect([await outcome('second'), await outcome('third')]).toEqual(['good', 'TokenRefused']);
});

test.each([[null], ['x'], [{}], [{ keys: [7] }], [[]]])('%j are no keys', async (document) => {
  const none = new KeySet({ fetch: async () => document });
  await expect(none.refresh()).rejects.toThrow(ProviderAway);
});
