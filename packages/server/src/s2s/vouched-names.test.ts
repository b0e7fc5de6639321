import { X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pki from 'pkijs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, nameConstraints, otherName, plainName, xmppAddress } from '../stream/testing.ts';
import { isPermitted, permits } from './name-constraints.ts';
import { shownBy } from './trust-testing.ts';
import { vouchedNames } from './vouched-names.ts';

const [MAIL, DNS, URI, IP] = [1, 2, 6, 7];
const dns = (name: string) => plainName(DNS, name);
const srvName = (text: string) => otherName('1.3.6.1.5.5.7.8.7', new asn1.IA5String({ value: text }));
const address = (...bytes: number[]) => new asn1.OctetString({ valueHex: new Uint8Array(bytes) });

let root: CertificateAuthority;
beforeAll(async () => {
  root = await CertificateAuthority.make('The root');
});

/** What OpenSSL says, and the names that count. */
async function judged(authority: CertificateAuthority, names: asn1.AsnType[], trusted = root) {
  const { certificate, fault } = await shownBy(await authority.issue(...names), trusted.cert);
  if (certificate === undefined) throw new Error('It has shown nothing.');
  const vouched = await vouchedNames(certificate, () => [new X509Certificate(trusted.cert)]);
  return { fault, names: vouched.map(({ text }) => text) };
}

describe('an authority that may vouch for some domains alone', () => {
  let limited: CertificateAuthority;
  beforeAll(async () => {
    limited = await root.below('Limited', nameConstraints([[DNS, 'good.example']]));
  });

  test('vouches for these', async () => {
    expect(await judged(limited, [dns('good.example'), dns('a.good.example')])).toEqual({
      fault: undefined,
      names: ['good.example', 'a.good.example'],
    });
    expect(await judged(limited, [dns('*.good.example')])).toEqual({ fault: undefined, names: ['*.good.example'] });
  });

  test('and not for others: OpenSSL sees to it', async () => {
    expect((await judged(limited, [dns('good.example'), dns('evil.example')])).fault).toBe('UNSPECIFIED');
  });

  test('nor by names of other kinds, of which OpenSSL knows nothing', async () => {
    const names = [dns('good.example'), srvName('_xmpp-server.evil.example'), xmppAddress('evil.example')];
    expect(await judged(limited, names)).toEqual({ fault: undefined, names: ['good.example'] });
    const below = await limited.below('Below it');
    expect(await judged(below, names)).toEqual({ fault: undefined, names: ['good.example'] });
  });

  test('whether it is itself the one that is trusted or not', async () => {
    const own = await CertificateAuthority.make('Limited root', nameConstraints([[DNS, 'good.example']]));
    expect((await judged(own, [dns('good.example'), xmppAddress('evil.example')], own)).names).toEqual([
      'good.example',
    ]);
  });
});

test('an authority without constraints vouches for names of every kind', async () => {
  const names = [dns('a.example'), srvName('_xmpp-server.b.example'), xmppAddress('c.example')];
  const expected = { fault: undefined, names: ['a.example', '_xmpp-server.b.example', 'c.example'] };
  expect(await judged(root, names)).toEqual(expected);
  expect(await judged(await root.below('In between'), names)).toEqual(expected);
});

test('a star does not stand for what an authority must not vouch for', async () => {
  const limited = await root.below('Not for one', nameConstraints([], [[DNS, 'secret.example.org']]));
  expect(await judged(limited, [dns('*.example.org')])).toEqual({ fault: undefined, names: [] });
  expect((await judged(limited, [dns('*.example.net')])).names).toEqual(['*.example.net']);
});

test('where the way to who is trusted is not known, only plain names of domains count', async () => {
  const { certificate } = await shownBy(await root.issue(dns('a.example'), xmppAddress('b.example')), root.cert);
  if (certificate === undefined) throw new Error('It has shown nothing.');
  expect(await vouchedNames(certificate, () => [])).toEqual([{ kind: 'dns', text: 'a.example' }]);
});

test('what OpenSSL judges is left to it', async () => {
  const organisation = new pki.RelativeDistinguishedNames();
  organisation.typesAndValues.push(
    new pki.AttributeTypeAndValue({ type: '2.5.4.3', value: new asn1.Utf8String({ value: 'Somebody' }) }),
  );
  const constraints = nameConstraints([
    [DNS, 'example.org'],
    [4, organisation as unknown as asn1.AsnType],
  ]);
  const limited = await root.below('Limited', constraints);
  expect(await judged(limited, [dns('*.example.org')])).toEqual({ fault: undefined, names: ['*.example.org'] });
});

test('certificates may be sent in any order', async () => {
  const upper = await root.below('Upper');
  const lower = await upper.below('Lower');
  const { cert, key } = await lower.issue(dns('*.example.org'));
  const stranger = await CertificateAuthority.make('A stranger');
  const [own = ''] = cert.split(/(?<=-----END CERTIFICATE-----\n)/);
  const chain = `${own}${upper.cert}${stranger.cert}${lower.cert}`;
  const { certificate, fault } = await shownBy({ cert: chain, key }, root.cert);
  expect(fault).toBeUndefined();
  const roots = [new X509Certificate(root.cert)];
  if (certificate === undefined) throw new Error('It has shown nothing.');
  expect(await vouchedNames(certificate, () => roots)).toEqual([{ kind: 'dns', text: '*.example.org' }]);
});

describe('constraints on names of other kinds', () => {
  const permitted = async (constraints: Parameters<typeof nameConstraints>, ...names: asn1.AsnType[]) => {
    const limited = await root.below('Limited', nameConstraints(...constraints));
    const { cert } = await limited.issue(...names);
    return await permits(new X509Certificate(limited.cert).raw, new X509Certificate(cert).raw);
  };

  test('are no concern of certificates that have none of these', async () => {
    const noAddress: Parameters<typeof nameConstraints> = [
      [[DNS, 'a.example']],
      [[IP, address(0, 0, 0, 0, 0, 0, 0, 0)]],
    ];
    expect(await permitted(noAddress, dns('a.example'))).toBe(true);
    expect(await permitted(noAddress, dns('b.example'))).toBe(false);
    expect(await permitted([[[MAIL, 'a.example']]], dns('b.example'))).toBe(true);
    expect(await permitted([[[URI, 'a.example']]], dns('b.example'))).toBe(true);
  });

  test('that a certificate has are not understood, so nothing is permitted', async () => {
    expect(await permitted([[[MAIL, 'a.example']]], dns('b.example'), plainName(MAIL, 'x@a.example'))).toBe(false);
    expect(await permitted([[[8, '1.2.3.4']]], dns('b.example'))).toBe(false);
  });
});

test.each<[string, string[], string[], boolean]>([
  ['a.example', [], [], true],
  ['a.example', ['a.example'], [], true],
  ['A.Example.', ['a.EXAMPLE'], [], true],
  ['x.a.example', ['a.example'], [], true],
  ['xa.example', ['a.example'], [], false],
  ['a.example', ['.a.example'], [], false],
  ['x.a.example', ['.a.example'], [], true],
  ['a.example', [''], [], true],
  ['a.example', [], [''], false],
  ['x.a.example', [], ['a.example'], false],
  ['a.example', [], ['x.a.example'], true],
  ['*.a.example', [], ['x.a.example'], false],
  ['*.a.example', [], ['.x.a.example'], false],
  ['*.a.example', ['a.example'], ['b.example'], true],
  ['*.b.example', ['a.example'], [], false],
])('%s, where %j are permitted and %j not: %s', (name, permitted, excluded, expected) => {
  expect(isPermitted(name, permitted, excluded)).toBe(expected);
});
