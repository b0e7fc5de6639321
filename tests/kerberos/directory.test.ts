import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startDirectoryServer, stranger } from '../directory/server.ts';
import { Initiator } from '../services/initiator.ts';
import { Kdc } from '../services/kdc.ts';
import { Slapd } from '../services/slapd.ts';
import { personDn } from '../services/slapd-files.ts';
import { conditionOf, features, mechanismsOf } from '../support/login.ts';
import { exchangeOf, gssapi } from './gssapi-login.ts';

let slapd: Slapd;
let kdc: Kdc;
let keytab: string;

beforeAll(async () => {
  [slapd, kdc] = await Promise.all([Slapd.startLasting(), Kdc.startLasting()]);
  await kdc.people('juliet', 'tybalt', 'rosaline');
  keytab = await kdc.keytab('xmpp/localhost');
});
afterAll(() => Promise.all([slapd.end(), kdc.end()]));

test('people of a directory log in by tickets, and the directory has a say in it', async () => {
  for (const [name, value] of Object.entries(kdc.serverEnv())) vi.stubEnv(name, value);
  await slapd.modify(personDn('tybalt'), { pwdAccountLockedTime: ['000001010000Z'] });
  const server = await startDirectoryServer(slapd, {
    config: { authentication: { mechanisms: ['GSSAPI'], kerberos: { keytab } } },
  });
  const outcome = async (name: string) => {
    const client = stranger(server);
    expect(mechanismsOf(await features(client))).toEqual(['GSSAPI']);
    const { end } = await gssapi(exchangeOf(client), Initiator.of(await kdc.login(name)));
    return conditionOf(end);
  };
  expect(await outcome('juliet')).toBe('success');
  expect(await outcome('tybalt')).toBe('account-disabled');
  expect(await outcome('rosaline')).toBe('not-authorized'); // of the realm, and not of the directory
});
