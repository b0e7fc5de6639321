import * as asn1 from 'asn1js';
import { describe, expect, test } from 'vitest';
import { certificateIdentities } from './client-certificate.ts';
import { clientCertificate, otherName, plainName, xmppAddress } from './testing.ts';

const identities = async (...names: asn1.AsnType[]) => identitiesOf(names, false);

const identitiesOf = async (names: asn1.AsnType[], mail: boolean) =>
  (await certificateIdentities((await clientCertificate(...names)).der, mail)).map(String);

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

  describe('where mail addresses count', () => {
    const mail = (...names: asn1.AsnType[]) => identitiesOf(names, true);

    test('are those', async () => {
      const names = ['Juliet@capulet.lit', 'nurse@capulet.lit'].map((text) => plainName(1, text));
      expect(await mail(plainName(2, 'capulet.lit'), ...names)).toEqual(['juliet@capulet.lit', 'nurse@capulet.lit']);
    });

    test('are not, as soon as there is any of XMPP, good or not', async () => {
      const address = plainName(1, 'juliet@capulet.lit');
      expect(await mail(address, xmppAddress('romeo@montague.lit'))).toEqual(['romeo@montague.lit']);
      expect(await mail(address, xmppAddress('@montague.lit'))).toEqual([]);
    });

    test.each([
      'capulet.lit',
      'juliet@capulet.lit/balcony',
      'juliet@capulet.lit\0.evil.lit',
      'jüliet@capulet.lit',
      '@',
    ])('are not what is none: %j', async (text) => {
      expect(await mail(plainName(1, text))).toEqual([]);
    });
  });

  test('no certificate has none', async () => {
    expect(await certificateIdentities(undefined, true)).toEqual([]);
  });

  test('what is no certificate is an error', async () => {
    await expect(certificateIdentities(Buffer.from('no certificate'), true)).rejects.toThrow();
  });
});
