import { configurationSchema } from '@parley/server/config/schema';
import type { Server } from '@parley/server/main';
import { expect, test } from 'vitest';
import { welcome } from './welcome.ts';

/** What is said where the first domain is this one and another has no certificate. */
function words(domain: object | string, others: object = {}): string {
  const config = configurationSchema().parse({ domains: [domain, 'montague.example'], ...others });
  const node = { domains: config.domains.map(({ name }) => name), selfSigned: '/data/self-signed.crt' };
  return welcome({ node, listeners: [{ name: 'c2s', port: 5222 }] } as unknown as Server, config, 'try/parley.yaml');
}

test('names an address and a port', () => {
  expect(words('capulet.example')).toMatch(/address {4}you@capulet\.example\n.*\n {2}port {7}5222\n/);
});

test('speaks of a self-signed certificate where the domain has none of its own', () => {
  expect(words('capulet.example')).toContain('self-signed: accept it, or trust /data/self-signed.crt');
  const own = { name: 'capulet.example', certificate: '/tls/capulet.pem', key: '/tls/capulet.key' };
  expect(words(own)).not.toContain('self-signed');
});

test('tells how to make accounts, and of the directory where they are made there', () => {
  expect(words('capulet.example')).toMatch(/\n {2}\S.* --config try\/parley\.yaml account add you@capulet\.example\n/);
  const office = { name: 'office', servers: ['ldaps://ldap.example'], bind: { dn: 'cn=p', password: 'p' } };
  const directories = [{ ...office, people: { base: 'ou=people' } }];
  const asked = words({ name: 'capulet.example', accounts: ['office'] }, { directories });
  expect(asked).toMatch(/People of the directory office have accounts\..*\n.* directory test you@capulet\.example\n/);
  expect(asked).not.toContain('account add');
  expect(words({ name: 'capulet.example', accounts: ['office', 'internal'] }, { directories })).toMatch(
    /directory test you@[\s\S]* account add you@/,
  );
});
