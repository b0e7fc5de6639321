import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { CertificateAuthority, plainName } from '../stream/testing.ts';
import { pathTo } from './certificate-path.ts';
import { RevocationLists } from './revocation-lists.ts';
import { shownBy } from './trust-testing.ts';

const HOUR = 3_600_000;

type Issued = Awaited<ReturnType<CertificateAuthority['issue']>>;

let root: CertificateAuthority;
let between: CertificateAuthority;
let good: Issued;
let revoked: Issued;
beforeAll(async () => {
  root = await CertificateAuthority.make('The root');
  between = await root.below('In between');
  good = await between.issue(plainName(2, 'a.example'));
  revoked = await between.issue(plainName(2, 'a.example'));
});

/** What these lists say of a certificate, and what OpenSSL says of the same. */
async function faults(own: Issued, lists: readonly string[]) {
  const { certificate, fault } = await shownBy(own, root.cert, lists);
  const path = certificate && pathTo([new X509Certificate(root.cert)], certificate);
  if (path === undefined) throw new Error('There is no way to the root.');
  return { ours: await new RevocationLists(lists).faultOf(path, Date.now()), openssl: fault };
}

const both = (fault: string | undefined) => ({ ours: fault, openssl: fault });

test('what is on no list is good, and what is on one is not: OpenSSL says the same', async () => {
  const lists = [await root.revoked([]), await between.revoked([revoked.serial])];
  expect(await faults(good, lists)).toEqual(both(undefined));
  expect(await faults(revoked, lists)).toEqual(both('CERT_REVOKED'));
});

test('an authority in between can be revoked', async () => {
  const serial = Number.parseInt(new X509Certificate(between.cert).serialNumber, 16);
  const lists = [await root.revoked([serial]), await between.revoked([])];
  expect(await faults(good, lists)).toEqual(both('CERT_REVOKED'));
});

test('each authority needs a list', async () => {
  expect(await faults(good, [await root.revoked([])])).toEqual(both('UNABLE_TO_GET_CRL'));
  expect(await faults(good, [await between.revoked([])])).toEqual(both('UNABLE_TO_GET_CRL'));
});

test('a list that is out of date is none, but what is on it is revoked', async () => {
  const lists = [await root.revoked([]), await between.revoked([revoked.serial], Date.now() - HOUR)];
  expect(await faults(good, lists)).toEqual(both('CRL_HAS_EXPIRED'));
  expect((await faults(revoked, lists)).ours).toBe('CERT_REVOKED');
  const early = [await root.revoked([]), await between.revoked([], Date.now() + 48 * HOUR)];
  expect(await faults(good, early)).toEqual(both('CRL_NOT_YET_VALID'));
});

test('a list that somebody else has signed is none', async () => {
  const impostor = await CertificateAuthority.make('In between');
  const lists = [await root.revoked([]), await impostor.revoked([good.serial])];
  expect((await faults(good, lists)).ours).toBe('UNABLE_TO_GET_CRL');
});

test('of several lists the valid one counts', async () => {
  const lists = [await root.revoked([]), await between.revoked([], Date.now() - HOUR), await between.revoked([])];
  expect((await faults(good, lists)).ours).toBeUndefined();
});

test('a list may be long', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => 1_000_000 + index);
  const lists = [await root.revoked([]), await between.revoked([...many, revoked.serial])];
  expect(await faults(good, lists)).toEqual(both(undefined));
  expect(await faults(revoked, lists)).toEqual(both('CERT_REVOKED'));
});

test('what is no list is as if it were not there', async () => {
  const lists = new RevocationLists(['-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----']);
  const path = [good.cert, between.cert].map((pem) => new X509Certificate(pem));
  expect(await lists.faultOf(path, Date.now())).toBe('UNABLE_TO_GET_CRL');
});
