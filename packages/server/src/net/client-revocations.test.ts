import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { CertificateAuthority, xmppAddress } from '../stream/testing.ts';
import { selfSigned } from './self-signed.ts';
import { TlsAcceptor } from './tls.ts';

let authority: CertificateAuthority;
let own: Awaited<ReturnType<typeof selfSigned>>;
let juliet: Awaited<ReturnType<CertificateAuthority['issue']>>;
let romeo: typeof juliet;

beforeAll(async () => {
  own = await selfSigned(['localhost']);
  authority = await CertificateAuthority.make();
  juliet = await authority.issue(xmppAddress('juliet@localhost'));
  romeo = await authority.issue(xmppAddress('romeo@localhost'));
});

const settings = (...clientRevocations: string[]) => ({
  minVersion: 'TLSv1.2' as const,
  ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
  handshakeTimeoutMs: 60_000,
  clientAuthorities: authority.cert,
  ...(clientRevocations.length > 0 && { clientRevocations }),
});

const files = () => new Map([['', own]]);

/** Whether a client with this certificate is believed. */
async function believed(acceptor: TlsAcceptor, { cert, key }: typeof juliet): Promise<boolean> {
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const { port } = listener.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, cert, key });
  client.on('error', () => {});
  const server = acceptor.wrap((await accepted)[0]);
  server.on('error', () => {});
  onTestFinished(() => {
    client.destroy();
    server.destroy();
  });
  await acceptor.handshake(server);
  return acceptor.verifiedCertificate(server) !== undefined;
}

test('a certificate that was revoked is not believed', async () => {
  const acceptor = new TlsAcceptor(settings(), files());
  expect(await believed(acceptor, romeo)).toBe(true);
  acceptor.replace(settings(await authority.revoked([])), files());
  expect(await believed(acceptor, romeo)).toBe(true);
  acceptor.replace(settings(await authority.revoked([romeo.serial])), files());
  expect([await believed(acceptor, romeo), await believed(acceptor, juliet)]).toEqual([false, true]);
});

test('without a list of its authority that is up to date none is believed', async () => {
  const old = await authority.revoked([], Date.now() - 1000);
  const acceptor = new TlsAcceptor(settings(old), files());
  expect(await believed(acceptor, juliet)).toBe(false);
  const other = await CertificateAuthority.make('Another authority');
  acceptor.replace(settings(await other.revoked([])), files());
  expect(await believed(acceptor, juliet)).toBe(false);
  acceptor.replace(settings(await other.revoked([]), await authority.revoked([])), files());
  expect(await believed(acceptor, juliet)).toBe(true);
});

test('a certificate that has expired is not believed', async () => {
  const acceptor = new TlsAcceptor(settings(), files());
  authority.until = Date.now() - 1000;
  onTestFinished(() => {
    authority.until = 2e12;
  });
  expect(await believed(acceptor, await authority.issue(xmppAddress('juliet@localhost')))).toBe(false);
});
