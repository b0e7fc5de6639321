import { describe, expect, test } from 'vitest';
import { type FederationConfiguration, federation } from '../config/federation.ts';
import { peerPolicy, tlsSuffices } from './policy.ts';

const configured = (options: object): FederationConfiguration => federation.parse(options);

describe('what holds for a domain', () => {
  test('without an entry it is the default', () => {
    const policy = peerPolicy(configured({}), 'capulet.example');
    expect(policy).toMatchObject({ allow: true, authentication: 'certificate', minTls: 'TLSv1.2', entry: undefined });
    expect([...policy.stanzas]).toEqual(['message', 'presence', 'iq']);
  });

  test('closed to all but one, which then needs a certificate', () => {
    const config = configured({ default: 'deny', peers: [{ domain: 'Capulet.example' }] });
    expect(peerPolicy(config, 'montague.example').allow).toBe(false);
    expect(peerPolicy(config, 'capulet.example')).toMatchObject({ allow: true, authentication: 'certificate' });
    expect(peerPolicy(config, 'rooms.capulet.example').allow).toBe(false);
  });

  test('the nearest of several entries', () => {
    const config = configured({
      peers: [
        { domain: '*.example', allow: false },
        { domain: '*.capulet.example', authentication: 'certificate-or-dialback' },
        { domain: 'rooms.capulet.example', stanzas: ['message'], stripPresence: true },
      ],
    });
    expect(peerPolicy(config, 'capulet.example')).toMatchObject({ allow: false, entry: '*.example' });
    expect(peerPolicy(config, 'a.capulet.example')).toMatchObject({ allow: true, entry: '*.capulet.example' });
    expect([...peerPolicy(config, 'rooms.capulet.example').stanzas]).toEqual(['message']);
    expect(peerPolicy(config, 'notexample').allow).toBe(true);
  });

  test('further proofs, for all and for one', () => {
    const config = configured({
      dane: true,
      posh: true,
      authorities: '/all.crt',
      revocations: '/all.crl',
      peers: [
        { domain: 'a.example', dane: false, posh: false },
        { domain: 'b.example', authorities: '/b.crt', poshUrl: 'https://files.example/b.json' },
        { domain: 'c.example', authorities: '/c.crt', revocations: '/c.crl' },
      ],
    });
    expect(peerPolicy(config, 'bücher.example')).toMatchObject({
      dane: true,
      posh: { url: 'https://xn--bcher-kva.example/.well-known/posh/xmpp-server.json', named: false },
      revocations: '/all.crl',
    });
    expect(peerPolicy(config, 'a.example')).toMatchObject({ dane: false, posh: undefined, revocations: '/all.crl' });
    // the lists of some authorities say nothing about others
    expect(peerPolicy(config, 'b.example')).toMatchObject({
      posh: { url: 'https://files.example/b.json', named: true },
      revocations: undefined,
    });
    expect(peerPolicy(config, 'c.example')).toMatchObject({ authorities: '/c.crt', revocations: '/c.crl' });
    expect(peerPolicy(configured({}), 'a.example')).toMatchObject({ dane: false, posh: undefined });
  });

  test.each([
    ['xmpp.example:5269', false, { host: 'xmpp.example', port: 5269, tls: 'starttls' }],
    ['[2001:db8::1]:5270', true, { host: '2001:db8::1', port: 5270, tls: 'direct' }],
  ])('a place of its own: %s', (connectTo, connectToTls, expected) => {
    const config = configured({ peers: [{ domain: 'a.example', connectTo, connectToTls }] });
    expect(peerPolicy(config, 'a.example').connectTo).toEqual(expected);
  });
});

test.each([
  ['none', undefined, true],
  ['TLSv1.2', undefined, false],
  ['TLSv1.2', 'TLSv1.1', false],
  ['TLSv1.2', 'TLSv1.2', true],
  ['TLSv1.3', 'TLSv1.2', false],
  ['TLSv1.3', 'TLSv1.3', true],
])('%s asked, %s there: %s', (minTls, protocol, expected) => {
  expect(tlsSuffices(peerPolicy(configured({ minTls }), 'a.example'), protocol)).toBe(expected);
});
