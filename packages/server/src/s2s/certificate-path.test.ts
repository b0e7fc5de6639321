import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pki from 'pkijs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, plainName, purposes } from '../stream/testing.ts';
import { isGoodPath, pathTo } from './certificate-path.ts';
import { certificateNames } from './certificate-verdict.ts';

const NAME = plainName(2, 'capulet.example');
const SERVERS = '1.3.6.1.5.5.7.3.1';
const critical = (extnID: string) => new pki.Extension({ extnID, critical: true, extnValue: new asn1.Null().toBER() });

let root: CertificateAuthority;
let anchor: X509Certificate;
beforeAll(async () => {
  root = await CertificateAuthority.make('The root');
  anchor = new X509Certificate(root.cert);
});

const good = (...path: X509Certificate[]) => isGoodPath(path, Date.now());

describe('a path to an authority', () => {
  test('is good for a server', async () => {
    const { cert } = await root.issueWith([purposes(SERVERS)], NAME);
    const certificate = new X509Certificate(cert);
    expect(pathTo([anchor], certificate)).toEqual([certificate, anchor]);
    expect(await good(certificate, anchor)).toBe(true);
    expect(await isGoodPath([certificate, anchor], 3e12)).toBe(false); // later
    expect(await good()).toBe(false);
  });

  test.each([
    ['whose certificate is for others', purposes('1.3.6.1.5.5.7.3.4')],
    ['whose certificate says what nobody here understands', critical('1.3.6.1.4.1.99999.1')],
    ['whose certificate is only the draft of one', critical('1.3.6.1.4.1.11129.2.4.3')],
  ])('is none %s', async (_, extension) => {
    const { cert } = await root.issueWith([extension], NAME);
    expect(await good(new X509Certificate(cert), anchor)).toBe(false);
  });

  test('is none where a signature is too weak, but for that of the root itself', async () => {
    const weak = await CertificateAuthority.make('Of long ago');
    weak.hash = 'SHA-1';
    const { cert } = await weak.issue(NAME);
    expect(await good(new X509Certificate(cert), new X509Certificate(weak.cert))).toBe(false);
    const between = await weak.below('Of today');
    between.hash = 'SHA-256';
    const below = await between.issue(NAME);
    const path = [below.cert, between.cert, weak.cert].map((pem) => new X509Certificate(pem));
    expect(await good(...path)).toBe(false);
    expect(await good(...path.slice(0, 2))).toBe(true); // who trusts the one between needs no more
  });
});

test('an authority whose key is short vouches for nobody', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { cert } = await root.issue(NAME);
  const certificate = new X509Certificate(cert);
  const short = new Proxy(anchor, {
    get: (target, name) => (name === 'publicKey' ? publicKey : Reflect.get(target, name, target)),
  });
  expect(await good(certificate, short)).toBe(false);
});

test('a certificate with two lists of names has none: others might read the other one', async () => {
  const extnValue = new asn1.Sequence({ value: [plainName(2, 'evil.example')] }).toBER();
  const { cert } = await root.issueWith([new pki.Extension({ extnID: '2.5.29.17', extnValue })], NAME);
  expect(await certificateNames(new X509Certificate(cert).raw)).toEqual([]);
});
