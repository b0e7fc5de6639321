import { beforeEach, describe, expect, test } from 'vitest';
import { type DnsRecords, TestDns } from '../../../../tests/services/dns.ts';
import { federation } from '../config/federation.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { peerPolicy } from './policy.ts';
import { Resolver, type Target } from './resolver.ts';

const SRV = '_xmpp-server._tcp.a.example';
const DIRECT = '_xmpps-server._tcp.a.example';
const TLSA = '_5269._tcp.x.example';

const record = { usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32, 1) };

let dns: TestDns;
/** Servers that know nothing of signatures, and would be asked without DANE. */
let plain: TestDns;
let told: string[];
beforeEach(async () => {
  dns = await TestDns.start();
  plain = await TestDns.start();
  told = [];
});

async function targets(peer: object = {}, config: object = {}): Promise<readonly Target[]> {
  const parsed = federation.parse({ dane: true, peers: [{ domain: 'a.example', ...peer }], ...config });
  const resolver = new Resolver(() => ({ servers: [plain.address], validating: [dns.address], timeoutMs: 120_000 }));
  return await resolver.targets('a.example', peerPolicy(parsed, 'a.example'), (line) => told.push(line));
}

const tlsa = async (...about: Parameters<typeof targets>) => (await targets(...about)).map((each) => each.tlsa);

/** A domain with a server whose certificate is named, all of it secure, but for what a test says. */
function world({ srv = {}, addresses = {}, named = {} }: Record<string, DnsRecords> = {}): void {
  dns.set(SRV, { srv: [{ target: 'x.example', port: 5269 }], secure: true, ttlSeconds: 60, ...srv });
  dns.set(DIRECT, { secure: true });
  dns.set('x.example', { addresses: ['192.0.2.1'], secure: true, ttlSeconds: 60, ...addresses });
  dns.set(TLSA, { tlsa: [record], secure: true, ttlSeconds: 60, ...named });
}

test('what secure DNS names belongs to the place where to connect', async () => {
  world();
  expect(await targets()).toEqual([
    { host: 'x.example', address: '192.0.2.1', port: 5269, tls: 'starttls', tlsa: [record] },
  ]);
  expect(told.toSorted()).toEqual([
    `DNS: SRV of ${SRV}: x.example:5269 (0 0), secure by DNSSEC`,
    `DNS: SRV of ${DIRECT}: none, secure by DNSSEC`,
    `DNS: TLSA of ${TLSA}: TLSA 3 1 1, secure by DNSSEC; 1 of 1 can be used`,
    'DNS: x.example has 192.0.2.1',
  ]);
  expect(plain.asked).toEqual([]);
});

test('without DANE nobody is asked about certificates', async () => {
  world();
  plain.set(SRV, { srv: [{ target: 'x.example', port: 5269 }] });
  plain.set('x.example', { addresses: ['192.0.2.1'] });
  expect(await tlsa({ dane: false })).toEqual([undefined]);
  expect(dns.asked).toEqual([]);
});

describe('nothing is named', () => {
  test.each<[string, Record<string, DnsRecords>, RegExp]>([
    ['the service is not secure', { srv: { secure: false } }, /SRV .* not secure/],
    ['the addresses are not', { addresses: { secure: false } }, /addresses of x.example are not secure/],
    ['the names of certificates are not', { named: { secure: false } }, /TLSA 3 1 1, not secure, so they do not count/],
    ['there are none', { named: { tlsa: [] } }, /TLSA of .*: none/],
    ['none can be used', { named: { tlsa: [{ ...record, usage: 9 }] } }, /0 of 1 can be used/],
  ])('where %s', async (_, about, words) => {
    world(about);
    expect(await tlsa()).toEqual([undefined]);
    expect(told.join('\n')).toMatch(words);
  });
});

test('where DNS does not say whether there is a certificate, there is no way: somebody may suppress it', async () => {
  world({ named: { failing: true } });
  await expect(targets()).rejects.toThrow(ConnectionFailure);
  expect(told.join('\n')).toContain('SERVFAIL');
});

test('another place is tried then', async () => {
  world({ named: { failing: true } });
  dns.set(SRV, {
    srv: [
      { target: 'x.example', port: 5269 },
      { target: 'y.example', port: 5269 },
    ],
    secure: true,
  });
  dns.set('y.example', { addresses: ['192.0.2.2'], secure: true });
  dns.set('_5269._tcp.y.example', { tlsa: [record, record], secure: true });
  expect(await targets()).toMatchObject([{ host: 'y.example', tlsa: [record, record] }]);
});

test('a domain without services is its own server, where it is secure that there are none', async () => {
  dns.set('a.example', { addresses: ['192.0.2.1'], secure: true });
  dns.set('_5269._tcp.a.example', { tlsa: [record], secure: true });
  dns.set(SRV, {});
  dns.set(DIRECT, {});
  expect(await tlsa()).toEqual([undefined]);
  dns.set(SRV, { secure: true });
  dns.set(DIRECT, { secure: true });
  expect(await tlsa()).toEqual([[record]]);
});

test('a host that the configuration names is looked for in the same way; an address has no name', async () => {
  world();
  expect(await tlsa({ connectTo: 'x.example:5269' })).toEqual([[record]]);
  expect(await tlsa({ connectTo: '192.0.2.1:5269' })).toEqual([undefined]);
});

test('thousands of records are cut', async () => {
  world({ named: { tlsa: Array.from({ length: 1200 }, () => record) } });
  expect((await tlsa())[0]).toHaveLength(64);
});

test('all of it holds for as long as its shortest part', async () => {
  world({ named: { ttlSeconds: 0 } });
  const parsed = federation.parse({ dane: true });
  const resolver = new Resolver(() => ({ servers: [], validating: [dns.address], timeoutMs: 120_000 }));
  const ask = () => resolver.targets('a.example', peerPolicy(parsed, 'a.example'));
  await ask();
  const { length } = dns.asked;
  await ask();
  expect(dns.asked.length).toBe(2 * length);
  dns.set(TLSA, { tlsa: [record], secure: true, ttlSeconds: 60 });
  await ask();
  await ask();
  expect(dns.asked.length).toBe(3 * length);
});
