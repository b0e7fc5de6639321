import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { selfSigned, selfSignedFiles } from './self-signed.ts';

const DAY = 86_400_000;

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'parley-self-signed-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return join(made, 'tls');
}

test('the certificate names every domain, localhost and the loopback addresses', async () => {
  const { certificate, key } = await selfSigned(['capulet.lit', 'bücher.example', 'localhost']);
  const x509 = new X509Certificate(certificate);
  expect(x509.subjectAltName).toBe(
    'DNS:capulet.lit, DNS:xn--bcher-kva.example, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  );
  expect(x509.ca).toBe(false);
  expect(x509.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(x509.verify(x509.publicKey)).toBe(true);
  expect(x509.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
});

test('it is valid since yesterday and for less than the 825 days that clients allow', async () => {
  const now = Date.parse('2026-11-26T12:00:00Z');
  const x509 = new X509Certificate((await selfSigned(['capulet.lit'], now)).certificate);
  expect(x509.validFromDate.getTime()).toBe(now - DAY);
  expect(x509.validToDate.getTime() - x509.validFromDate.getTime()).toBeLessThan(825 * DAY);
});

test('a name that is no domain is refused', async () => {
  await expect(selfSigned(['capulet.lit', 'not a domain'])).rejects.toThrow('Not a domain name: not a domain');
});

test('a TLS client that trusts it connects', async () => {
  const pair = await selfSigned(['capulet.lit']);
  const server = createServer({ cert: pair.certificate, key: pair.key }, (socket) => socket.end('welcome'));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const servername of ['capulet.lit', 'localhost']) {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: pair.certificate });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    socket.destroy();
  }
  const stranger = connect({ host: '127.0.0.1', port, servername: 'montague.lit', ca: pair.certificate });
  await expect(once(stranger, 'secureConnect')).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('the files are made once, the key for the owner only', async () => {
  const where = await folder();
  const first = await selfSignedFiles(where, ['capulet.lit']);
  expect(first.made).toBe(true);
  expect((await stat(first.key)).mode & 0o777).toBe(0o600);
  const before = await readFile(first.certificate, 'utf8');
  expect(await selfSignedFiles(where, ['capulet.lit'])).toEqual({ ...first, made: false });
  expect(await readFile(first.certificate, 'utf8')).toBe(before);
});

test('nodes that begin at once in one folder have a pair each that fits together', async () => {
  const where = await folder();
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, i) => selfSignedFiles(where, [i % 2 ? 'capulet.lit' : 'montague.lit'])),
  );
  for (const { text } of all) {
    expect(new X509Certificate(text.certificate).checkPrivateKey(createPrivateKey(text.key))).toBe(true);
  }
  expect((await readdir(where)).sort()).toEqual(['self-signed.crt', 'self-signed.key']);
});

test('another domain, an approaching end or a damaged file makes a new pair', async () => {
  const where = await folder();
  const { certificate, key } = await selfSignedFiles(where, ['capulet.lit']);
  const made = async (domains: string[], now?: number) => (await selfSignedFiles(where, domains, now)).made;

  expect(await made(['capulet.lit', 'montague.lit'])).toBe(true);
  expect(await made(['montague.lit'])).toBe(false);
  expect(await made(['montague.lit'], Date.now() + 780 * DAY)).toBe(false);
  expect(await made(['montague.lit'], Date.now() + 800 * DAY)).toBe(true);
  await writeFile(certificate, 'half');
  expect(await made(['montague.lit'])).toBe(true);
  await writeFile(key, (await selfSigned(['montague.lit'])).key);
  expect(await made(['montague.lit'])).toBe(true);
  expect(await made(['montague.lit'])).toBe(false);
});
