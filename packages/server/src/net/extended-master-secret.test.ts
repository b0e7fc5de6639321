import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hasExtendedMasterSecret } from './extended-master-secret.ts';
import { selfSigned } from './self-signed.ts';
import { TlsAcceptor } from './tls.ts';

const settings = {
  minVersion: 'TLSv1.2',
  ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
  handshakeTimeoutMs: 60_000,
} as const;

let acceptor: TlsAcceptor;
beforeAll(async () => {
  acceptor = new TlsAcceptor(settings, new Map([['', await selfSigned(['localhost'])]]));
});

/** The server's end of a connection that this client makes, when its handshake is done. */
async function accept<Client>(begin: (port: number) => Client): Promise<{ client: Client; server: TLSSocket }> {
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const client = begin((listener.address() as { port: number }).port);
  const server = acceptor.wrap((await accepted)[0]);
  server.on('error', () => {});
  onTestFinished(() => void server.destroy());
  await acceptor.handshake(server);
  return { client, server };
}

/** By TLS 1.2, going on with a session where there is one. */
async function byNode(session?: Buffer) {
  let secure: Promise<unknown> | undefined;
  const both = await accept((port) => {
    const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2', session });
    client.on('error', () => {});
    onTestFinished(() => void client.destroy());
    secure = once(client, 'secureConnect');
    return client;
  });
  await secure;
  return both;
}

/** What is seen of two connections of OpenSSL's own client, the second with the session of the first. */
async function withoutExtendedMasterSecret<Seen>(look: (server: TLSSocket) => Seen): Promise<Seen[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const sections = ['openssl_conf = a', '[a]', 'ssl_conf = b', '[b]', 'system_default = c', '[c]'];
  const configuration = join(folder, 'openssl.cnf');
  await writeFile(configuration, [...sections, 'Options = -ExtendedMasterSecret', ''].join('\n'));
  const env = { ...process.env, OPENSSL_CONF: configuration };
  const seen: Seen[] = [];
  for (const how of ['-sess_out', '-sess_in']) {
    const { client, server } = await accept((port) => {
      const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-quiet', how, join(folder, 'session')];
      return spawn('openssl', args, { env });
    });
    seen.push(look(server));
    const ended = once(client, 'close');
    server.end();
    client.stdin.end();
    await ended;
  }
  return seen;
}

describe('TLS 1.2', () => {
  test('binds by tls-exporter and tls-unique, a resumed session as well', async () => {
    const first = await byNode();
    const again = await byNode(first.client.getSession());
    expect([first, again].map(({ server }) => hasExtendedMasterSecret(server))).toEqual([true, true]);
    expect([first, again].map(({ client }) => client.isSessionReused())).toEqual([false, true]);
    const uniques = [first, again].map(({ client, server }) => {
      const exported = client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
      expect(acceptor.channelBinding(server, 'tls-exporter')).toEqual(exported);
      return acceptor.channelBinding(server, 'tls-unique');
    });
    expect(uniques).toEqual([first.client.getFinished(), again.client.getPeerFinished()]);
    expect(uniques.map((unique) => unique?.length)).toEqual([12, 12]);
  });

  test('binds by neither without the extended master secret, resumed or not', async () => {
    const seen = await withoutExtendedMasterSecret((server) => ({
      protocol: server.getProtocol(),
      resumed: server.isSessionReused(),
      secret: hasExtendedMasterSecret(server),
      exporter: acceptor.channelBinding(server, 'tls-exporter'),
      unique: acceptor.channelBinding(server, 'tls-unique'),
      endPoint: acceptor.channelBinding(server, 'tls-server-end-point')?.length,
    }));
    const nothing = { protocol: 'TLSv1.2', secret: false, exporter: undefined, unique: undefined, endPoint: 32 };
    expect(seen).toEqual([
      { ...nothing, resumed: false },
      { ...nothing, resumed: true },
    ]);
  });
});

test.each([
  ['no session', undefined],
  ['no ASN.1', Buffer.from('nothing')],
  ['something else', Buffer.from('3003020101', 'hex')],
  ['flags that are no number', Buffer.from('3004ad020500', 'hex')],
  ['no flags in their place', Buffer.from('3002ad00', 'hex')],
  ['other flags', Buffer.from('3005ad03020102', 'hex')],
])('%s tells of none', (_, session) => {
  expect(hasExtendedMasterSecret({ getSession: () => session } as TLSSocket)).toBe(false);
});

test('it is the first flag', () => {
  const session = Buffer.from('3008020101ad03020103', 'hex');
  expect(hasExtendedMasterSecret({ getSession: () => session } as TLSSocket)).toBe(true);
});
