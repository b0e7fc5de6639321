import * as asn1 from 'asn1js';
import { describe, expect, test } from 'vitest';
import { clientCertificate, otherName, plainName, xmppAddress } from '../stream/testing.ts';
import { type CertificateName, certificateNames, certificateVerdict, standsFor } from './certificate-verdict.ts';

const srvName = (text: string) => otherName('1.3.6.1.5.5.7.8.7', new asn1.IA5String({ value: text }));
const dns = (text: string): CertificateName => ({ kind: 'dns', text });

test('the names of a certificate, and nothing that is none', async () => {
  const { der } = await clientCertificate(
    plainName(2, 'a.example'),
    plainName(1, 'mail@a.example'),
    srvName('_xmpp-server.b.example'),
    xmppAddress('bücher.example'),
    xmppAddress(new asn1.Integer({ value: 1 })),
    otherName('1.2.3.4', new asn1.Utf8String({ value: 'c.example' })),
  );
  expect(await certificateNames(der)).toEqual([
    dns('a.example'),
    { kind: 'srv', text: '_xmpp-server.b.example' },
    { kind: 'xmpp', text: 'bücher.example' },
  ]);
  expect(await certificateNames((await clientCertificate()).der)).toEqual([]);
  expect(await certificateNames(Buffer.from('no certificate'))).toEqual([]);
});

describe('whom names stand for', () => {
  test.each<[CertificateName, string, boolean]>([
    [dns('capulet.example'), 'capulet.example', true],
    [dns('CAPULET.example.'), 'capulet.example', true],
    [dns('capulet.example'), 'rooms.capulet.example', false],
    [dns('rooms.capulet.example'), 'capulet.example', false],
    [dns('*.capulet.example'), 'rooms.capulet.example', true],
    [dns('*.capulet.example'), 'capulet.example', false],
    [dns('*.capulet.example'), 'a.rooms.capulet.example', false],
    [dns('r*.capulet.example'), 'rooms.capulet.example', false],
    [dns('rooms.*.example'), 'rooms.capulet.example', false],
    [dns('*.*.example'), 'rooms.capulet.example', false],
    [dns('*.example'), 'capulet.example', false],
    [dns('*'), 'example', false],
    [dns('xn--bcher-kva.example'), 'bücher.example', true],
    [dns('capulet.example\0.evil.example'), 'capulet.example', false],
    [dns('192.0.2.1'), '192.0.2.1', false],
    [{ kind: 'srv', text: '_xmpp-server.capulet.example' }, 'capulet.example', true],
    [{ kind: 'srv', text: '_XMPP-Server.capulet.example' }, 'capulet.example', true],
    [{ kind: 'srv', text: '_xmpp-server.*.capulet.example' }, 'rooms.capulet.example', true],
    [{ kind: 'srv', text: '_xmpp-client.capulet.example' }, 'capulet.example', false],
    [{ kind: 'srv', text: 'capulet.example' }, 'capulet.example', false],
    [{ kind: 'xmpp', text: 'Capulet.example' }, 'capulet.example', true],
    [{ kind: 'xmpp', text: 'juliet@capulet.example' }, 'capulet.example', false],
    [{ kind: 'xmpp', text: '*.capulet.example' }, 'rooms.capulet.example', false],
  ])('%j stands for %s: %s', (name, domain, expected) => {
    expect(standsFor([name], domain)).toBe(expected);
  });

  test('one of several is enough', () => {
    expect(standsFor([dns('a.example'), dns('b.example')], 'b.example')).toBe(true);
    expect(standsFor([], 'b.example')).toBe(false);
  });
});

describe('the verdict', () => {
  test('needs a certificate, somebody who vouches for it, and the right name', async () => {
    const { der } = await clientCertificate(plainName(2, 'a.example'));
    expect(await certificateVerdict(der, undefined, 'a.example')).toMatchObject({ good: true });
    expect(await certificateVerdict(der, undefined, 'b.example')).toEqual({
      good: false,
      words: 'its certificate is for a.example, not for b.example',
    });
    expect(await certificateVerdict(der, 'CERT_HAS_EXPIRED', 'a.example')).toEqual({
      good: false,
      words: 'its certificate has expired',
    });
    expect(await certificateVerdict(der, 'SOMETHING', 'a.example')).toMatchObject({ good: false });
    expect(await certificateVerdict(undefined, undefined, 'a.example')).toMatchObject({ good: false });
  });
});
