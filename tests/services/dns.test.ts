import { Resolver } from 'node:dns/promises';
import { expect, it } from 'vitest';
import { TestDns } from './dns.ts';

it('answers as it was told', async () => {
  const dns = await TestDns.start();
  const resolver = new Resolver({ timeout: 200, tries: 1 });
  resolver.setServers([dns.address]);
  dns.serve('capulet.example', 5269, 5270);
  dns.set('six.example', { addresses: ['::1', '2001:db8::2:3', '192.0.2.1'] });
  dns.set('silent.example', { silent: true });
  dns.set('failing.example', { failing: true });
  expect(await resolver.resolveSrv('_xmpp-server._tcp.capulet.example')).toMatchObject([
    { name: 'localhost', port: 5269, priority: 10, weight: 0 },
  ]);
  expect(await resolver.resolve4('LocalHost')).toEqual(['127.0.0.1']);
  expect(await resolver.resolve6('six.example')).toEqual(['::1', '2001:db8::2:3']);
  const code = (asked: Promise<unknown>) => asked.catch((error) => error.code);
  expect(await code(resolver.resolve4('nobody.example'))).toBe('ENOTFOUND');
  expect(await code(resolver.resolve4('capulet.example'))).toBe('ENODATA');
  expect(await code(resolver.resolve4('silent.example'))).toBe('ETIMEOUT');
  expect(await code(resolver.resolve4('failing.example'))).toBe('ESERVFAIL');
  expect(dns.asked).toContain('SRV _xmpp-server._tcp.capulet.example');
});
