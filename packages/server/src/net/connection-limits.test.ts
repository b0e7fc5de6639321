import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits, network } from './connection-limits.ts';

const OPTIONS = {
  perAddress: 4,
  unauthenticatedPerAddress: 2,
  newPerAddressPerMinute: 6,
  trustedNetworks: ['10.0.0.0/8', '2001:db8:a::/48'],
};
const limits = (options = {}) => new ConnectionLimits(() => ({ ...OPTIONS, ...options }));

describe('network', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['', ''],
  ])('of %j is %s', (address, expected) => {
    expect(network(address)).toBe(expected);
  });
});

describe('ConnectionLimits', () => {
  it('counts strangers, all and new ones, each address alone', () => {
    const counts = limits();
    const open = (address: string, now = 0) => counts.open(address, now);
    expect([open('a'), open('a'), open('a'), open('b')]).toEqual([
      undefined,
      undefined,
      'unauthenticated-per-address',
      undefined,
    ]);
    counts.authenticated('a');
    counts.authenticated('a');
    expect([open('a'), open('a')]).toEqual([undefined, undefined]);
    counts.authenticated('a');
    counts.authenticated('a');
    expect(open('a')).toBe('connections-per-address');
    counts.closed('a', true);
    counts.closed('a', true);
    expect([open('a'), open('a')]).toEqual([undefined, undefined]);
    counts.closed('a', false);
    expect(open('a')).toBe('new-connections-per-address');
    expect(open('a', 59_999)).toBe('new-connections-per-address');
    expect(open('a', 60_000)).toBeUndefined();
  });

  it('counts all addresses of an IPv6 network together', () => {
    const counts = limits();
    const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3', '2001:db8:0:1::1'];
    expect(addresses.map((address) => counts.open(address, 0))).toEqual([
      undefined,
      undefined,
      'unauthenticated-per-address',
      undefined,
    ]);
  });

  it('lets trusted networks be, however they are written', () => {
    const counts = limits();
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8:a:b::1']) {
      for (let i = 0; i < 20; i++) expect(counts.open(address, 0)).toBeUndefined();
      expect(counts.trusts(address)).toBe(true);
    }
    for (const address of ['11.1.2.3', '2001:db8:b::1', 'fe80::1%eth0', '']) expect(counts.trusts(address)).toBe(false);
    expect(counts.size).toBe(0);
  });

  it('takes on new options', () => {
    let options = { ...OPTIONS };
    const counts = new ConnectionLimits(() => options);
    counts.open('192.0.2.1', 0);
    options = { ...OPTIONS, unauthenticatedPerAddress: 1 };
    expect(counts.open('192.0.2.1', 0)).toBe('unauthenticated-per-address');
    options = { ...OPTIONS, trustedNetworks: ['192.0.2.0/24'] };
    expect(counts.open('192.0.2.1', 0)).toBeUndefined();
  });

  it('never counts more than is allowed, and forgets whoever is gone', () => {
    const step = fc.record({
      address: fc.constantFrom('192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2'),
      what: fc.constantFrom('open', 'open', 'open', 'authenticate', 'close'),
      passes: fc.constantFrom(0, 1, 30_000, 70_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const counts = limits();
        const open = new Map<string, { known: boolean }[]>();
        let now = 0;
        for (const { address, what, passes } of steps) {
          now += passes;
          const place = network(address);
          const list = open.get(place) ?? [];
          open.set(place, list);
          const stranger = list.find(({ known }) => !known);
          if (what === 'open') {
            if (counts.open(address, now) === undefined) list.push({ known: false });
          } else if (what === 'authenticate' && stranger !== undefined) {
            stranger.known = true;
            counts.authenticated(address);
          } else if (what === 'close' && list.length > 0) {
            counts.closed(address, (list.shift() as { known: boolean }).known);
          }
          expect(list.length).toBeLessThanOrEqual(OPTIONS.perAddress);
          expect(list.filter(({ known }) => !known).length).toBeLessThanOrEqual(OPTIONS.unauthenticatedPerAddress);
        }
        for (const [place, list] of open)
          for (const { known } of list) counts.closed(place.includes(':') ? `${place}::` : place, known);
        // the next one that comes, two minutes later, is the only one that is known
        expect(counts.open('203.0.113.1', now + 120_000)).toBeUndefined();
        expect(counts.size).toBe(1);
      }),
      { numRuns: 1000 },
    );
  });
});
