import { describe, expect, test } from 'vitest';
import { federation } from '../config/federation.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { peerPolicy } from './policy.ts';
import { type Dns, Resolver } from './resolver.ts';

type Answer = object[] | string | 'never';

/** A DNS that knows this; a text is the code of the error that it answers with. */
function dnsOf(records: Record<string, Answer>) {
  const asked: string[] = [];
  let cancel: ((error: Error) => void) | undefined;
  const answer = (type: string, name: string): Promise<never> => {
    asked.push(`${type} ${name}`);
    const found = records[`${type} ${name}`] ?? 'ENOTFOUND';
    if (found === 'never') return new Promise((_, reject) => (cancel = reject));
    if (typeof found === 'string') return Promise.reject(Object.assign(new Error(found), { code: found }));
    return Promise.resolve(found as never);
  };
  const dns = {
    resolveSrv: (name: string) => answer('SRV', name),
    resolve4: (name: string) => answer('A', name),
    resolve6: (name: string) => answer('AAAA', name),
    cancel: () => cancel?.(Object.assign(new Error('cancelled'), { code: 'ECANCELLED' })),
  };
  return { asked, dns: dns as unknown as Dns };
}

const policy = (peer: object = {}) =>
  peerPolicy(federation.parse({ peers: [{ domain: 'a.example', ...peer }] }), 'a.example');

let now = 0;

function resolver(records: Record<string, Answer>, timeoutMs = 5000) {
  const { asked, dns } = dnsOf(records);
  const made = new Resolver(
    () => ({ servers: ['192.0.2.53'], timeoutMs }),
    () => now,
    () => dns,
  );
  const places = async (domain = 'a.example', peer?: object) =>
    (await made.targets(domain, policy(peer))).map(({ address, port, tls }) => `${address} ${port} ${tls}`);
  return { asked, places };
}

const srv = (name: string, port = 5269, priority = 0, weight = 0) => ({ name, port, priority, weight });
const a = (address: string, ttl = 300) => ({ address, ttl });

async function failure(promise: Promise<unknown>): Promise<ConnectionFailure> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConnectionFailure);
  return error as ConnectionFailure;
}

describe('where to connect', () => {
  test('both services are one list', async () => {
    const { places } = resolver({
      'SRV _xmpp-server._tcp.a.example': [srv('x.example', 5269, 10), srv('z.example', 5299, 30)],
      'SRV _xmpps-server._tcp.a.example': [srv('y.example', 443, 20)],
      'A x.example': [a('192.0.2.1'), a('192.0.2.2')],
      'AAAA x.example': [a('2001:db8::1')],
      'A y.example': [a('192.0.2.3')],
      'A z.example': 'ESERVFAIL',
    });
    expect(await places()).toEqual([
      '2001:db8::1 5269 starttls',
      '192.0.2.1 5269 starttls',
      '192.0.2.2 5269 starttls',
      '192.0.2.3 443 direct',
    ]);
  });

  test('the domain itself, where there are no such records', async () => {
    const { places, asked } = resolver({ 'A a.example': [a('192.0.2.1')] });
    expect(await places()).toEqual(['192.0.2.1 5269 starttls']);
    expect(asked).toContain('SRV _xmpps-server._tcp.a.example');
  });

  test('the domain itself, where only direct TLS is said not to be there', async () => {
    const { places } = resolver({
      'SRV _xmpps-server._tcp.a.example': [srv('', 0)],
      'A a.example': [a('192.0.2.1')],
    });
    expect(await places()).toEqual(['192.0.2.1 5269 starttls']);
  });

  test('DNS is asked for the ASCII form', async () => {
    const { places, asked } = resolver({ 'A xn--bcher-kva.example': [a('192.0.2.1')] });
    expect(await places('bücher.example')).toEqual(['192.0.2.1 5269 starttls']);
    expect(asked).toContain('SRV _xmpp-server._tcp.xn--bcher-kva.example');
  });

  test('the configuration comes before DNS', async () => {
    const { places, asked } = resolver({ 'A relay.example': [a('192.0.2.9')] });
    expect(await places('a.example', { connectTo: '[::1]:5299' })).toEqual(['::1 5299 starttls']);
    expect(asked).toEqual([]);
    expect(await places('a.example', { connectTo: 'relay.example:5270', connectToTls: true })).toEqual([
      '192.0.2.9 5270 direct',
    ]);
  });
});

describe('nowhere', () => {
  test.each<[string, Record<string, Answer>, Partial<ConnectionFailure>]>([
    ['the domain is not known', {}, { condition: 'remote-server-not-found', lasting: true }],
    [
      'it says that it has no server',
      { 'SRV _xmpp-server._tcp.a.example': [srv('')], 'A a.example': [a('192.0.2.1')] },
      { condition: 'remote-server-not-found', lasting: true },
    ],
    [
      'DNS fails',
      { 'SRV _xmpp-server._tcp.a.example': 'ESERVFAIL', 'A a.example': [a('192.0.2.1')] },
      { condition: 'remote-server-timeout', lasting: false },
    ],
    [
      'the addresses cannot be had',
      { 'SRV _xmpp-server._tcp.a.example': [srv('x.example')], 'A x.example': 'ETIMEOUT' },
      { condition: 'remote-server-timeout', lasting: false },
    ],
    [
      'there are none',
      { 'SRV _xmpp-server._tcp.a.example': [srv('x.example')] },
      { condition: 'remote-server-not-found', lasting: true },
    ],
  ])('%s', async (_, records, expected) => {
    expect(await failure(resolver(records).places())).toMatchObject({ step: 'dns', ...expected });
  });

  test('DNS says nothing', async () => {
    const { places } = resolver({ 'SRV _xmpp-server._tcp.a.example': 'never' }, 50);
    expect(await failure(places())).toMatchObject({ condition: 'remote-server-timeout' });
  });

  test.each(['[::1]', '127.0.0.1'])('%s is no domain', async (domain) => {
    const { places, asked } = resolver({});
    expect(await failure(places(domain))).toMatchObject({ lasting: true });
    expect(asked).toEqual([]);
  });
});

test('what was found is known as long as it holds, and a minute at most', async () => {
  const records = (ttl: number) => ({
    'SRV _xmpp-server._tcp.a.example': [srv('x.example')],
    'A x.example': [a('192.0.2.1', ttl)],
  });
  for (const [ttl, holds] of [
    [10, 10_000],
    [3600, 60_000],
  ] as const) {
    now = 0;
    const { places, asked } = resolver(records(ttl));
    await places();
    const { length } = asked;
    now = holds - 1;
    await places();
    expect(asked.length).toBe(length);
    now = holds;
    await places();
    expect(asked.length).toBe(2 * length);
  }
});

test('records that somebody makes by the thousand are not all asked for', async () => {
  const { places, asked } = resolver({
    'SRV _xmpp-server._tcp.a.example': Array.from({ length: 1000 }, (_, n) => srv(`n${n}.example`)),
    ...Object.fromEntries(
      Array.from({ length: 1000 }, (_, n) => [`A n${n}.example`, Array.from({ length: 100 }, () => a('192.0.2.1'))]),
    ),
  });
  expect((await places()).length).toBeLessThanOrEqual(32);
  expect(asked.length).toBeLessThan(20);
});
