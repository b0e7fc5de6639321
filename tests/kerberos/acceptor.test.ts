import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Acceptor, AcceptorUnusable, TokenRefused } from '@parley/server/auth/kerberos/acceptor';
import { Kerberos } from '@parley/server/auth/kerberos/kerberos';
import { defaultConfiguration } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Initiator } from '../services/initiator.ts';
import { Kdc } from '../services/kdc.ts';
import { standStill } from '../support/stand-still.ts';

const library = 'libgssapi_krb5.so.2';

let kdc: Kdc;
let keytab: string;

beforeAll(async () => {
  kdc = await Kdc.startLasting();
  await kdc.people('juliet');
  keytab = await kdc.keytab('xmpp/localhost');
});
afterAll(() => kdc.end());
beforeEach(() => {
  for (const [name, value] of Object.entries(kdc.serverEnv())) vi.stubEnv(name, value);
});

const tokenOf = async () => Initiator.of(await kdc.login('juliet')).begin('xmpp/localhost@LOCALHOST');

/** In `timeoutMs` a busy machine also has to start the process. */
function acceptorOf(timeoutMs = 60_000): { acceptor: Acceptor; ended: string[] } {
  const ended: string[] = [];
  const acceptor = new Acceptor({ library, keytab, timeoutMs, onEnded: (how) => ended.push(how) });
  onTestFinished(() => acceptor[Symbol.dispose]());
  return { acceptor, ended };
}

test('contexts do not know each other, and one that has ended is no more', async () => {
  const { acceptor } = acceptorOf();
  const [one, other] = [acceptor.begin(), acceptor.begin()];
  const { peers } = await one.accept(await tokenOf());
  expect(peers).toEqual({ initiator: 'juliet@LOCALHOST', target: 'xmpp/localhost@LOCALHOST', mutual: true });
  await expect(other.wrap(Buffer.from('x'))).rejects.toThrow(TokenRefused);
  expect((await one.wrap(Buffer.from('x'))).length).toBeGreaterThan(16);
  one.end();
  await expect(one.wrap(Buffer.from('x'))).rejects.toThrow(TokenRefused);
});

test('what the process is told of the node’s environment has no secret in it', async () => {
  vi.stubEnv('PARLEY_CLUSTER_SECRET', 'the secret of the cluster');
  const { acceptor } = acceptorOf();
  await acceptor.examine();
  const environment = readFileSync(`/proc/${acceptor.process?.pid}/environ`, 'utf8');
  expect(environment).toContain(`KRB5_KTNAME=FILE:${keytab}`);
  expect(environment).not.toContain('PARLEY');
});

test('a process that falls takes the logins with it that it was asked about, and no others', async () => {
  const { acceptor, ended } = acceptorOf();
  await acceptor.examine();
  const token = await tokenOf();
  const pid = acceptor.process?.pid ?? 0;
  await standStill(pid); // it hears nothing any more
  const pending = expect(acceptor.begin().accept(token)).rejects.toThrow(AcceptorUnusable);
  process.kill(pid, 'SIGKILL'); // any other signal needs it to go on first, and perhaps to answer
  await pending;
  expect(ended).toEqual(['it ended with SIGKILL']);
  await expect(acceptor.examine()).rejects.toThrow('in a moment');
  await vi.waitFor(() => acceptor.examine(), { interval: 50 });
  expect((await acceptor.begin().accept(await tokenOf())).peers?.initiator).toBe('juliet@LOCALHOST');
});

test('nothing that a stranger says ends the process, and none of it is taken', async () => {
  const { acceptor, ended } = acceptorOf();
  const token = await tokenOf();
  const change = fc.record({ at: fc.nat(token.length - 1), byte: fc.integer({ min: 1, max: 255 }) });
  const changed = fc.array(change, { minLength: 1, maxLength: 8 }).map((changes) => {
    const copy = Buffer.from(token);
    for (const { at, byte } of changes) copy[at] = (copy[at] ?? 0) ^ byte;
    return copy;
  });
  const cut = fc.nat(token.length - 1).map((length) => token.subarray(0, length));
  const anything = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([token.subarray(0, 17), bytes]));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, cut, anything, fc.constant(Buffer.alloc(65_537))), async (message) => {
      if (message.equals(token)) return;
      const context = acceptor.begin();
      // the flags of the request, and what is behind the DER, are not signed: then the client cannot go on
      const accepted = await context
        .accept(message)
        .catch((error: unknown) => expect(error).toBeInstanceOf(TokenRefused));
      if (accepted !== undefined) await expect(context.unwrap(message)).rejects.toThrow(TokenRefused);
      context.end();
    }),
    { numRuns: 500 },
  );
  expect(ended).toEqual([]);
});

test('a process that does not answer is ended', async () => {
  const { acceptor, ended } = acceptorOf(1000);
  await vi.waitFor(() => acceptor.examine(), { interval: 50 }); // a busy machine may not start it in time
  ended.length = 0;
  await standStill(acceptor.process?.pid ?? 0);
  await expect(acceptor.begin().accept(Buffer.from('token'))).rejects.toThrow('did not answer in time');
  expect(ended).toEqual(['it did not answer in time']);
  expect(acceptor.process).toBeUndefined();
});

test('Kerberos is offered again by itself after the process has fallen', async () => {
  const config = defaultConfiguration();
  config.authentication.mechanisms = ['GSSAPI'];
  config.authentication.kerberos.keytab = keytab;
  const events: string[] = [];
  const output = { write: (line: string) => void events.push(JSON.parse(line).event) };
  const kerberos = new Kerberos({ config: () => config, log: Log.create({ level: 'info', output }), retryMs: 100 });
  onTestFinished(() => kerberos[Symbol.asyncDispose]());
  await kerberos.examine();
  expect(kerberos.usable).toBe(true);
  const child = kerberos.process;
  process.kill(child?.pid ?? 0, 'SIGKILL');
  await once(child as NonNullable<typeof child>, 'exit');
  const context = kerberos.at('localhost', '192.0.2.1').begin();
  await expect(context.accept(Buffer.from('token'))).rejects.toMatchObject({ condition: 'temporary-auth-failure' });
  await vi.waitFor(() => expect(kerberos.usable).toBe(false));
  await vi.waitFor(() => expect(kerberos.usable).toBe(true));
  expect(events).toEqual([
    'kerberos.ready',
    'kerberos.ended',
    'kerberos.failed',
    'kerberos.unusable',
    'kerberos.ready',
  ]);
});
