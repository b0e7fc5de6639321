import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { GnuSasl } from '../services/gnu-sasl.ts';
import { Kdc } from '../services/kdc.ts';
import { answer, conditionOf, features, isIn, sendAuth } from '../support/login.ts';
import { Installation, run } from '../support/process.ts';
import { startServer } from '../support/server.ts';
import { SASL } from './gssapi-login.ts';

let kdc: Kdc;
let keytab: string;

beforeAll(async () => {
  kdc = await Kdc.startLasting();
  await kdc.people('juliet');
  keytab = await kdc.keytab('xmpp/localhost');
});
afterAll(() => kdc.end());

const configuration = (kerberos: object) => ({
  authentication: { iterations: 4096, mechanisms: ['GSSAPI'], kerberos },
  limits: { process: { eventLoopDelayMilliseconds: 60_000 } }, // whatever else this machine does
});

test('lets a slixmpp client in by a ticket, and parley check says that it can', async () => {
  const installation = new Installation(configuration({ keytab }));
  await installation.account('juliet@localhost');
  const check = await installation.parley(['check'], undefined, kdc.serverEnv());
  expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('is good') });
  const node = await installation.start({ env: kdc.serverEnv() });
  expect((await node.event('kerberos.ready')).keys).toEqual(['xmpp/localhost@LOCALHOST (2)']);
  const script = fileURLToPath(new URL('../interop/slixmpp-kerberos.py', import.meta.url));
  const { env } = await kdc.login('juliet');
  const args = [script, String(node.port('c2s')), installation.certificate];
  const { code, stdout, stderr } = await run('/usr/bin/python3', args, { env });
  expect({ code, stdout, stderr: code === 0 ? '' : stderr }).toEqual({
    code: 0,
    stdout: 'juliet@localhost/slixmpp\n',
    stderr: '',
  });
  expect(await node.stop()).toBe(0);
});

test.each([
  ['the keytab cannot be read', { keytab: '/nowhere/at.all' }, 'cannot be read (ENOENT)'],
  ['the library is missing', { library: 'libnowhere.so.1' }, 'libnowhere.so.1'],
])('parley check says that it cannot where %s', async (_, change, reason) => {
  const { code, stderr } = await new Installation(configuration({ keytab, ...change })).parley(['check']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('authentication.kerberos does not work');
  expect(stderr).toContain(reason);
});

test.each([
  ['juliet@localhost', 'success'],
  ['romeo@localhost', 'invalid-authzid'],
])('what GNU SASL says for %s is a %s', async (authzid, expected) => {
  for (const [name, value] of Object.entries(kdc.serverEnv())) vi.stubEnv(name, value);
  const server = await startServer({ config: configuration({ keytab }) });
  await server.account('juliet@localhost');
  const client = server.connect();
  client.open('localhost');
  await features(client);
  const sasl = new GnuSasl(await kdc.login('juliet'), authzid);
  sendAuth(client, 'GSSAPI', await sasl.first());
  let said = await answer(client);
  while (said.name === 'challenge') {
    client.send(`<response xmlns='${SASL}'>${await sasl.answer(said.text)}</response>`);
    said = await answer(client);
  }
  expect(conditionOf(said)).toBe(expected);
  if (expected === 'success') expect(await isIn(client)).toBe(true);
});
