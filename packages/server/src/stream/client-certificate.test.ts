import * as asn1 from 'asn1js';
import { describe, expect, test } from 'vitest';
import { certificateIdentities } from './client-certificate.ts';
import { clientCertificate, otherName, plainName, xmppAddress } from './testing.ts';

const identities = async (...names: asn1.AsnType[]) =>
  (await certificateIdentities((await clientCertificate(...names)).der)).map(String);

describe('the addresses of a certificate', () => {
  test('are all those that it names as such, prepared', async () => {
    expect(await identities(xmppAddress('juliet@capulet.lit'))).toEqual(['juliet@capulet.lit']);
    expect(await identities(xmppAddress('Juliet@Capulet.lit'), xmppAddress('romeo@montague.lit'))).toEqual([
      'juliet@capulet.lit',
      'romeo@montague.lit',
    ]);
  });

  test.each([
    ['its subject', []],
    ['a domain', [plainName(2, 'capulet.lit')]],
    ['a mail address', [plainName(1, 'juliet@capulet.lit')]],
    [
      'another kind of name',
      [otherName('1.3.6.1.4.1.311.20.2.3', new asn1.Utf8String({ value: 'juliet@capulet.lit' }))],
    ],
    ['an address of another type', [xmppAddress(new asn1.Integer({ value: 7 }))]],
    ['what is no address', [xmppAddress('@capulet.lit'), xmppAddress('juliet@@capulet.lit')]],
  ])('are not %s', async (_, names) => {
    expect(await identities(...names)).toEqual([]);
  });

  test('no certificate has none', async () => {
    expect(await certificateIdentities(undefined)).toEqual([]);
  });

  test('what is no certificate is an error', async () => {
    await expect(certificateIdentities(Buffer.from('no certificate'))).rejects.toThrow();
  });
});
