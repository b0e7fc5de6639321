import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestDns } from '../../../../tests/services/dns.ts';
import { ValidatingDns } from './validating-dns.ts';

const tlsa = (byte: number) => ({ usage: 3, selector: 1, matching: 1, data: Buffer.alloc(32, byte) });

/** Milliseconds: no answer that comes at all takes that long, however slow the machine is. */
const LONG = 120_000;

async function both() {
  const server = await TestDns.start();
  return { server, dns: new ValidatingDns({ servers: [server.address], timeoutMs: LONG }) };
}

const code = (asked: Promise<unknown>) => asked.catch((error) => error.code);

test('records, and whether they are secure', async () => {
  const { server, dns } = await both();
  server.set('_xmpp-server._tcp.a.example', {
    srv: [{ target: 'X.a.example', port: 5269, priority: 3, weight: 7 }],
    secure: true,
    ttlSeconds: 90,
  });
  server.set('x.a.example', { addresses: ['192.0.2.1', '2001:db8::1'], secure: true, ttlSeconds: 300 });
  server.set('_5269._tcp.x.a.example', { tlsa: [tlsa(1), tlsa(2)], secure: true, ttlSeconds: 30 });
  server.set('insecure.example', { addresses: ['192.0.2.2'], ttlSeconds: 300 });
  expect(await dns.resolveSrv('_xmpp-server._tcp.a.example')).toEqual([
    { name: 'X.a.example', port: 5269, priority: 3, weight: 7 },
  ]);
  expect(await dns.resolve4('X.a.example')).toEqual([{ address: '192.0.2.1', ttl: 300 }]);
  expect(await dns.resolve6('X.a.example')).toEqual([{ address: '2001:db8::1', ttl: 300 }]);
  expect(dns.ttlMs).toBe(90_000);
  expect(await dns.tlsa('_5269._tcp.x.a.example')).toEqual([tlsa(1), tlsa(2)]);
  expect(dns.ttlMs).toBe(30_000);
  expect(await dns.resolve4('insecure.example')).toHaveLength(1);
  expect(dns.isSecure('SRV', '_xmpp-server._tcp.a.example')).toBe(true);
  expect(dns.isSecure('A', 'X.a.example')).toBe(true);
  expect(dns.isSecure('TLSA', '_5269._tcp.x.a.example')).toBe(true);
  expect(dns.isSecure('A', 'insecure.example')).toBe(false);
  expect(dns.isSecure('AAAA', 'insecure.example')).toBe(false);
});

test('that there is nothing can be secure as well', async () => {
  const { server, dns } = await both();
  server.set('a.example', { secure: true });
  expect(await dns.tlsa('a.example')).toEqual([]);
  expect(dns.isSecure('TLSA', 'a.example')).toBe(true);
  expect(await dns.tlsa('nobody.example')).toEqual([]);
  expect(dns.isSecure('TLSA', 'nobody.example')).toBe(false);
});

test('what an alias leads to, which only says what it is asked for', async () => {
  const { server, dns } = await both();
  server.set('alias.example', { alias: 'a.example', secure: true });
  server.set('a.example', { addresses: ['192.0.2.1'], tlsa: [tlsa(1)] });
  expect(await dns.resolve4('alias.example')).toEqual([{ address: '192.0.2.1', ttl: 0 }]);
  expect(await dns.tlsa('alias.example')).toEqual([tlsa(1)]);
});

test('huge sets come whole, and of them so many are looked at', async () => {
  const { server, dns } = await both();
  const all = Array.from({ length: 1000 }, (_, index) => tlsa(index % 256));
  server.set('a.example', { tlsa: all, secure: true });
  expect(await dns.tlsa('a.example')).toEqual(all.slice(0, 64));
  expect(server.asked.filter((each) => each === 'TLSA a.example')).toHaveLength(2); // by UDP, then by TCP
});

describe('a failure', () => {
  test('is none of the answers', async () => {
    const { server, dns } = await both();
    server.set('failing.example', { failing: true });
    server.set('silent.example', { silent: true });
    expect(await code(dns.tlsa('failing.example'))).toBe('ESERVFAIL');
    const hasty = new ValidatingDns({ servers: [server.address], timeoutMs: 100 });
    expect(await code(hasty.tlsa('silent.example'))).toBe('ETIMEOUT');
    expect(await code(dns.tlsa(`${'x'.repeat(64)}.example`))).toBe('ENOTFOUND');
    expect(await code(dns.tlsa('a..example'))).toBe('ENOTFOUND');
  });

  test('of one server leads to the next', async () => {
    const { server } = await both();
    server.set('a.example', { tlsa: [tlsa(1)] });
    // a port that nobody else may take, and that hears nobody but the one that it is connected to: the kernel refuses the rest
    const udp = createSocket('udp4');
    onTestFinished(() => void udp.close());
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    udp.connect(9, '127.0.0.1');
    await once(udp, 'connect');
    const { port } = udp.address();
    const dns = new ValidatingDns({ servers: [`127.0.0.1:${port}`, server.address], timeoutMs: 2 * LONG });
    expect(await dns.tlsa('a.example')).toHaveLength(1);
  });

  test('that somebody brings about ends all', async () => {
    const { server, dns } = await both();
    server.set('silent.example', { silent: true });
    const asked = code(dns.tlsa('silent.example'));
    dns.cancel();
    expect(await asked).toBe('ETIMEOUT');
  });

  test('is an answer that cannot be read', async () => {
    const udp = createSocket('udp4');
    udp.on('message', (query, { port, address }) => {
      const header = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0]);
      query.copy(header, 0, 0, 2);
      // nine records are promised, and a pointer leads to itself
      udp.send(
        Buffer.concat([header, query.subarray(12, query.length - 11), Buffer.from([0xc0, 0xff])]),
        port,
        address,
      );
    });
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    onTestFinished(() => void udp.close());
    const dns = new ValidatingDns({ servers: [`127.0.0.1:${udp.address().port}`], timeoutMs: LONG });
    expect(await code(dns.tlsa('a.example'))).toBe('EBADRESP');
  });
});
