import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { CertificateFiles } from './secure-context.ts';
import { selfSigned } from './self-signed.ts';
import { TlsAcceptor } from './tls.ts';

const SETTINGS = {
  minVersion: 'TLSv1.2',
  ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
  handshakeTimeoutMs: 60_000,
} as const;

let capulet: CertificateFiles;
let montague: CertificateFiles;
let renewed: CertificateFiles;
beforeAll(async () => {
  [capulet, montague, renewed] = (await Promise.all(
    [['capulet.lit'], ['montague.lit'], ['capulet.lit']].map((domains) => selfSigned(domains)),
  )) as [CertificateFiles, CertificateFiles, CertificateFiles];
});

const acceptorOf = (settings = {}) =>
  new TlsAcceptor(
    { ...SETTINGS, ...settings },
    new Map([
      ['', capulet],
      ['montague.lit', montague],
    ]),
  );

/** Both ends of a connection whose handshake is done. Rejects where the server's end fails. */
async function handshake(
  acceptor: TlsAcceptor,
  options: ConnectionOptions = {},
): Promise<{ client: TLSSocket; server: TLSSocket }> {
  const listener: Server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const { port } = listener.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {});
  const server = acceptor.wrap((await accepted)[0]);
  onTestFinished(() => void server.destroy());
  server.on('error', () => {});
  const secure = once(client, 'secureConnect').catch(() => {});
  await acceptor.handshake(server);
  await secure;
  return { client, server };
}

const certificateOf = ({ client }: { client: TLSSocket }) => client.getPeerX509Certificate()?.fingerprint256;
const fingerprint = ({ certificate }: CertificateFiles) => new X509Certificate(certificate).fingerprint256;

test.each([
  ['capulet.lit', () => capulet],
  ['montague.lit', () => montague],
  ['MONTAGUE.lit', () => montague],
  ['verona.lit', () => capulet],
  ['', () => capulet],
])('who asks for %j is shown the certificate of that domain', async (servername, expected) => {
  expect(certificateOf(await handshake(acceptorOf(), { servername }))).toBe(fingerprint(expected()));
});

test('versions before the oldest allowed one, other ciphers and other protocols are refused', async () => {
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  await expect(handshake(acceptorOf(), old)).rejects.toThrow();
  await expect(handshake(acceptorOf({ minVersion: 'TLSv1.3' }), { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
  await expect(handshake(acceptorOf(), weak)).rejects.toThrow();
  await expect(handshake(acceptorOf(), { ALPNProtocols: ['h2', 'http/1.1'] })).rejects.toThrow();
  const { client } = await handshake(acceptorOf(), { ALPNProtocols: ['xmpp-client'], maxVersion: 'TLSv1.2' });
  expect([client.getProtocol(), client.getCipher().name, client.alpnProtocol]).toEqual([
    'TLSv1.2',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'xmpp-client',
  ]);
});

test('a handshake is done once: another one ends the connection', async () => {
  const { client, server } = await handshake(acceptorOf(), { maxVersion: 'TLSv1.2' });
  const finished = client.getFinished();
  const closed = once(server.resume(), 'close');
  client.renegotiate({}, () => {});
  client.write('more');
  const [error] = await once(client, 'error');
  expect(error.message).toContain('no renegotiation');
  expect(client.getFinished() ?? finished).toEqual(finished);
  await closed;
});

test('a handshake that takes too long ends', async () => {
  const acceptor = acceptorOf({ handshakeTimeoutMs: 20 });
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const { Socket: Plain } = await import('node:net');
  const silent = new Plain().connect((listener.address() as { port: number }).port, '127.0.0.1');
  onTestFinished(() => void silent.destroy());
  silent.on('error', () => {});
  const tls = acceptor.wrap((await accepted)[0]);
  tls.on('error', () => {});
  await expect(acceptor.handshake(tls)).rejects.toThrow('took too long');
  expect(tls.destroyed).toBe(true);
});

test('new certificates are for handshakes to come; bad ones change nothing', async () => {
  const acceptor = acceptorOf();
  const before = await handshake(acceptor);
  expect(() =>
    acceptor.replace(SETTINGS, new Map([['', { certificate: capulet.certificate, key: montague.key }]])),
  ).toThrow();
  expect(() => acceptor.replace(SETTINGS, new Map())).toThrow('no certificate');
  expect(() => acceptor.replace({ ...SETTINGS, ciphers: 'NONSENSE' }, new Map([['', renewed]]))).toThrow();
  expect(certificateOf(await handshake(acceptor))).toBe(fingerprint(capulet));
  expect(certificateOf(await handshake(acceptor, { servername: 'montague.lit' }))).toBe(fingerprint(montague));
  acceptor.replace(SETTINGS, new Map([['', renewed]]));
  expect(certificateOf(await handshake(acceptor, { servername: 'montague.lit' }))).toBe(fingerprint(renewed));
  before.client.write('still there');
  expect(String((await once(before.server, 'data'))[0])).toBe('still there');
});

test('both ends know what binds the channel', async () => {
  const acceptor = acceptorOf();
  const { client, server } = await handshake(acceptor, { servername: 'montague.lit' });
  const exported = client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  expect(acceptor.channelBinding(server, 'tls-exporter')).toEqual(exported);
  const hash = createHash('sha256')
    .update(client.getPeerX509Certificate()?.raw ?? '')
    .digest();
  expect(acceptor.channelBinding(server, 'tls-server-end-point')).toEqual(hash);
  // what was shown counts, whatever would be shown today
  acceptor.replace(SETTINGS, new Map([['', renewed]]));
  expect(acceptor.channelBinding(server, 'tls-server-end-point')).toEqual(hash);

  expect(acceptor.channelBinding(server, 'tls-unique')).toBeUndefined();
});
