import * as asn1 from 'asn1js';
import * as pki from 'pkijs';
import { describe, expect, test } from 'vitest';
import { certificateIdentities } from './client-certificate.ts';

const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';

const tagged = (tagNumber: number, value: asn1.AsnType[]) =>
  new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
const otherName = (oid: string, value: asn1.AsnType) =>
  tagged(0, [new asn1.ObjectIdentifier({ value: oid }), tagged(0, [value])]);
const address = (text: string) => otherName(XMPP_ADDRESS, new asn1.Utf8String({ value: text }));
const plain = (tagNumber: number, text: string) =>
  new asn1.Primitive({ idBlock: { tagClass: 3, tagNumber }, valueHex: new TextEncoder().encode(text).buffer });

/** DER of a certificate with these alternative names; its subject claims to be the queen. */
async function certificate(...names: asn1.AsnType[]): Promise<Buffer> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const made = new pki.Certificate();
  made.version = 2;
  made.serialNumber = new asn1.Integer({ value: 1 });
  const value = new asn1.Utf8String({ value: 'queen@england.lit' });
  made.subject.typesAndValues.push(new pki.AttributeTypeAndValue({ type: '2.5.4.3', value }));
  made.notBefore.value = new Date(0);
  made.notAfter.value = new Date(2e12);
  await made.subjectPublicKeyInfo.importKey(keys.publicKey);
  const extnValue = new asn1.Sequence({ value: names }).toBER();
  made.extensions = names.length === 0 ? [] : [new pki.Extension({ extnID: '2.5.29.17', extnValue })];
  await made.sign(keys.privateKey, 'SHA-256');
  return Buffer.from(made.toSchema().toBER());
}

const identities = async (...names: asn1.AsnType[]) =>
  (await certificateIdentities(await certificate(...names))).map(String);

describe('the addresses of a certificate', () => {
  test('are all those that it names as such, prepared', async () => {
    expect(await identities(address('juliet@capulet.lit'))).toEqual(['juliet@capulet.lit']);
    expect(await identities(address('Juliet@Capulet.lit'), address('romeo@montague.lit'))).toEqual([
      'juliet@capulet.lit',
      'romeo@montague.lit',
    ]);
  });

  test.each([
    ['its subject', []],
    ['a domain', [plain(2, 'capulet.lit')]],
    ['a mail address', [plain(1, 'juliet@capulet.lit')]],
    [
      'another kind of name',
      [otherName('1.3.6.1.4.1.311.20.2.3', new asn1.Utf8String({ value: 'juliet@capulet.lit' }))],
    ],
    ['an address of another type', [otherName(XMPP_ADDRESS, new asn1.Integer({ value: 7 }))]],
    ['what is no address', [address('@capulet.lit'), address('juliet@@capulet.lit')]],
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
