import { describe, expect, test } from 'vitest';
import { configurationSchema } from './schema.ts';

/** What is wrong with this, with where it stands. */
function problems(federation: object): string[] {
  const { error } = configurationSchema([]).safeParse({ federation });
  return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];
}

const DANE = { dane: true };

describe('DANE needs a DNS server that checks signatures', () => {
  test.each(['127.0.0.1', '127.0.0.1:5353', '127.8.9.1', '::1', '[::1]', '[::1]:53'])(
    'on this machine: %s',
    (server) => {
      expect(problems({ ...DANE, dnssec: { servers: [server] } })).toEqual([]);
    },
  );

  test.each(['192.0.2.1', '10.0.0.1:53', '[2001:db8::1]:53', '128.0.0.1', '[::ffff:127.0.0.1]:53', '127.0.0.1.2'])(
    'and no other: %s',
    (server) => {
      const dnssec = { servers: ['127.0.0.1', server] };
      expect(problems({ ...DANE, dnssec })).toEqual([
        expect.stringMatching(/^federation\.dnssec\.servers\.1 is on another machine.*trustNetwork/),
      ]);
      expect(problems({ dnssec })).toHaveLength(1);
      expect(problems({ ...DANE, dnssec: { ...dnssec, trustNetwork: true } })).toEqual([]);
    },
  );

  test('or all is as it was', () => {
    const missing = [expect.stringContaining('federation.dnssec.servers is empty')];
    expect(problems({})).toEqual([]);
    expect(problems(DANE)).toEqual(missing);
    expect(problems({ peers: [{ domain: 'a.example', dane: true }] })).toEqual(missing);
    expect(problems({ peers: [{ domain: 'a.example', dane: false }] })).toEqual([]);
  });
});

test('revocation lists are those of authorities that are named', () => {
  const of = (about: object) => problems(about).map((line) => line.split(' ')[0]);
  expect(of({ revocations: '/a.crl' })).toEqual(['federation.revocations']);
  expect(of({ revocations: '/a.crl', authorities: '/a.crt' })).toEqual([]);
  const peer = { domain: 'a.example', revocations: '/a.crl' };
  expect(of({ peers: [{ domain: 'b.example' }, peer] })).toEqual(['federation.peers.1.revocations']);
  expect(of({ peers: [{ ...peer, authorities: '/a.crt' }] })).toEqual([]);
});

test('a POSH file is at a web address', () => {
  const of = (poshUrl: string) => problems({ peers: [{ domain: 'a.example', poshUrl }] });
  expect(of('https://files.example:8443/a.json')).toEqual([]);
  for (const wrong of [
    'http://files.example/',
    'files.example',
    'https://u:p@files.example/',
    'https://f.example/#x',
  ]) {
    expect(of(wrong)).toEqual([expect.stringContaining('is no address that begins with https://')]);
  }
});

test('what is not of its type is told once', () => {
  expect(problems({ dane: 'yes', dnssec: 5, peers: ['x'], revocations: 1 }).length).toBeGreaterThan(2);
  expect(problems({ dnssec: { servers: 'x' } })).toHaveLength(1);
});
