import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, clientCertificate, nameConstraints, plainName } from '../stream/testing.ts';
import { isUsable, matchingRecord, type TlsaRecord, tlsaWords } from './tlsa.ts';
import { shownBy } from './trust-testing.ts';

const DNS = 2;
const [PKIX_TA, PKIX_EE, DANE_TA, DANE_EE] = [0, 1, 2, 3];

const digest = (name: string, bytes: Buffer) => createHash(name).update(bytes).digest();

function record(usage: number, selector: number, matching: number, pem: string): TlsaRecord {
  const { raw, publicKey } = new X509Certificate(pem);
  const selected = selector === 0 ? raw : publicKey.export({ type: 'spki', format: 'der' });
  const data = [selected, digest('sha256', selected), digest('sha512', selected)][matching] as Buffer;
  return { usage, selector, matching, data };
}

let root: CertificateAuthority;
let between: CertificateAuthority;
let good: { cert: string; key: string };
let stranger: CertificateAuthority;
let selfSigned: { cert: string; key: string };

beforeAll(async () => {
  root = await CertificateAuthority.make('The root');
  between = await root.below('In between');
  good = await between.issue(plainName(DNS, 'a.example'));
  stranger = await CertificateAuthority.make('A stranger');
  selfSigned = await clientCertificate(plainName(DNS, 'a.example'));
});

interface About {
  readonly domain?: string;
  readonly hosts?: readonly string[];
  /** Those whom we trust anyway. */
  readonly trusted?: readonly CertificateAuthority[];
}

/** Whether a record names what this server shows. */
async function names(made: TlsaRecord, own: { cert: string; key: string }, about: About = {}): Promise<boolean> {
  const { domain = 'a.example', hosts = [], trusted = [] } = about;
  const pem = trusted.map(({ cert }) => cert);
  const { certificate, fault } = await shownBy(own, pem);
  if (certificate === undefined) throw new Error('It has shown nothing.');
  const roots = () => pem.map((each) => new X509Certificate(each));
  return (await matchingRecord([made], { certificate, fault, domain, hosts, roots })) === made;
}

const FORMS = [0, 1].flatMap((selector) => [0, 1, 2].map((matching) => [selector, matching] as const));

describe.each(FORMS)('selector %i, matching %i', (selector, matching) => {
  test('the certificate itself, whatever its name, dates and authorities', async () => {
    const made = record(DANE_EE, selector, matching, selfSigned.cert);
    expect(await names(made, selfSigned)).toBe(true);
    expect(await names(made, selfSigned, { domain: 'other.example' })).toBe(true);
    expect(await names(made, good, { trusted: [root] })).toBe(false);
  });

  test('an authority that it was shown with', async () => {
    const made = record(DANE_TA, selector, matching, between.cert);
    expect(await names(made, good)).toBe(true);
    expect(await names(made, good, { domain: 'other.example' })).toBe(false);
    expect(await names(made, good, { domain: 'other.example', hosts: ['a.example'] })).toBe(true);
    expect(await names(made, selfSigned)).toBe(false);
    expect(await names(record(DANE_TA, selector, matching, stranger.cert), good)).toBe(false);
  });

  test('a certificate that one of the usual authorities has to vouch for as well', async () => {
    const made = record(PKIX_EE, selector, matching, good.cert);
    expect(await names(made, good, { trusted: [root] })).toBe(true);
    expect(await names(made, good)).toBe(false);
    expect(await names(made, good, { trusted: [root], domain: 'other.example' })).toBe(false);
    expect(await names(record(PKIX_EE, selector, matching, selfSigned.cert), good, { trusted: [root] })).toBe(false);
  });

  test('one of the usual authorities, and no other', async () => {
    for (const { cert } of [root, between]) {
      const made = record(PKIX_TA, selector, matching, cert);
      expect(await names(made, good, { trusted: [root] })).toBe(true);
      expect(await names(made, good)).toBe(false);
    }
    expect(await names(record(PKIX_TA, selector, matching, stranger.cert), good, { trusted: [root, stranger] })).toBe(
      false,
    );
    expect(await names(record(PKIX_TA, selector, matching, good.cert), good, { trusted: [root] })).toBe(false);
  });
});

test('an authority that is not shown counts where the record holds it as a whole', async () => {
  expect(await names(record(DANE_TA, 0, 0, root.cert), good)).toBe(true);
  expect(await names(record(DANE_TA, 0, 1, root.cert), good)).toBe(false);
  expect(await names(record(DANE_TA, 0, 0, stranger.cert), good)).toBe(false);
});

test('an authority that did not sign what it is shown with says nothing', async () => {
  const own = await stranger.issue(plainName(DNS, 'a.example'));
  const made = record(DANE_TA, 1, 1, between.cert);
  expect(await names(made, { cert: `${own.cert}${between.cert}${root.cert}`, key: own.key })).toBe(false);
});

test('an authority is held to its constraints', async () => {
  const limited = await root.below('Limited', nameConstraints([[DNS, 'b.example']]));
  const own = await limited.issue(plainName(DNS, 'a.example'));
  expect(await names(record(DANE_TA, 1, 1, limited.cert), own)).toBe(false);
  const inside = await limited.issue(plainName(DNS, 'b.example'));
  expect(await names(record(DANE_TA, 1, 1, limited.cert), inside, { domain: 'b.example' })).toBe(true);
});

test('the same certificate is no authority', async () => {
  expect(await names(record(DANE_TA, 1, 1, selfSigned.cert), selfSigned)).toBe(false);
  expect(await names(record(DANE_TA, 0, 0, selfSigned.cert), selfSigned)).toBe(false);
});

test('records that say nothing that is understood are as if they were not there', () => {
  const sha256 = Buffer.alloc(32);
  const made = (usage: number, selector: number, matching: number, data: Buffer) =>
    isUsable({ usage, selector, matching, data });
  expect(made(3, 1, 1, sha256)).toBe(true);
  expect(made(3, 1, 2, Buffer.alloc(64))).toBe(true);
  expect(made(3, 1, 0, Buffer.from('a key'))).toBe(true);
  expect(made(4, 1, 1, sha256)).toBe(false);
  expect(made(255, 1, 1, sha256)).toBe(false);
  expect(made(3, 2, 1, sha256)).toBe(false);
  expect(made(3, 1, 3, sha256)).toBe(false);
  expect(made(3, 1, 1, Buffer.alloc(31))).toBe(false);
  expect(made(3, 1, 2, sha256)).toBe(false);
  expect(made(3, 1, 0, Buffer.alloc(0))).toBe(false);
  expect(made(2, 0, 0, Buffer.from('no certificate'))).toBe(false);
  expect(tlsaWords({ usage: 3, selector: 1, matching: 1, data: sha256 })).toBe('TLSA 3 1 1');
});
