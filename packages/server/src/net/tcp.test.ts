import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { selfSigned } from './self-signed.ts';
import { TcpTransport } from './tcp.ts';
import { TlsAcceptor } from './tls.ts';

let acceptor: TlsAcceptor;
beforeAll(async () => {
  const settings = { minVersion: 'TLSv1.2', ciphers: 'TLS_AES_128_GCM_SHA256', handshakeTimeoutMs: 60_000 } as const;
  acceptor = new TlsAcceptor(settings, new Map([['', await selfSigned(['capulet.lit'])]]));
});

/** Both ends of a connection, and what the server's end hears. */
async function connection() {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const client = connect({ port: (listener.address() as { port: number }).port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {});
  const [raw] = await accepted;
  const transport = new TcpTransport(raw, acceptor);
  onTestFinished(() => transport.destroy());
  const heard: string[] = [];
  const closed: string[] = [];
  transport.handler = { onData: (bytes) => heard.push(String(bytes)), onClose: (reason) => closed.push(reason) };
  return { client, transport, raw, heard, closed };
}

/** Something has come in and was not given to anybody. */
const received = (raw: Socket) => vi.waitFor(() => expect(raw.readableLength).toBeGreaterThan(0), { interval: 2 });

const gone = (closed: readonly string[]) => vi.waitFor(() => expect(closed).toHaveLength(1), { interval: 5 });

test('what is written in one turn goes out in one piece', async () => {
  const { client, transport, raw } = await connection();
  const write = vi.spyOn(raw, 'write');
  const written: number[] = [];
  transport.handler.onWritten = (count) => written.push(count);
  for (const text of ['a', 'b', 'é']) transport.write(text);
  expect([write.mock.calls, transport.buffered]).toEqual([[], 3]);
  expect(String((await once(client, 'data'))[0])).toBe('abé');
  expect(write).toHaveBeenCalledTimes(1);
  expect(written).toEqual([4]); // bytes, all together
});

test('nothing is heard while it does not read', async () => {
  const { client, transport, raw, heard } = await connection();
  transport.pause();
  transport.pause();
  client.write('first');
  await received(raw);
  expect(heard).toEqual([]);
  transport.resume();
  await vi.waitFor(() => expect(heard).toEqual(['first']), { interval: 5 });
});

test('the end comes behind all that was written, and nothing comes behind the end', async () => {
  const { client, transport, closed } = await connection();
  transport.write('last');
  transport.end(60_000, () => closed.push('timed out'));
  transport.write('too late');
  let text = '';
  client.on('data', (bytes) => {
    text += bytes;
  });
  await once(client, 'end');
  client.end();
  await gone(closed);
  expect([text, closed]).toEqual(['last', ['closed by us']]);
});

test('a peer that does not close is cut off', async () => {
  const { client, transport, closed } = await connection();
  client.allowHalfOpen = true;
  transport.end(20, () => closed.push('timed out'));
  client.resume();
  await vi.waitFor(() => expect(closed).toEqual(['timed out', 'closed by us']), { interval: 5 });
});

test.each([
  ['closes', (client: Socket) => client.end('bye'), 'closed by the peer'],
  ['resets', (client: Socket) => client.resetAndDestroy(), 'read ECONNRESET'],
])('a peer that %s is told of once', async (_, leave, reason) => {
  const { client, transport, closed } = await connection();
  leave(client.resume());
  await gone(closed);
  transport.write('to nobody');
  transport.destroy();
  transport.end(1, () => closed.push('timed out'));
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(closed).toEqual([reason]);
});

test('with TLS it begins anew: what came before is gone', async () => {
  const { client, transport, raw, heard } = await connection();
  expect([transport.tls, transport.channelBinding('tls-server-end-point'), transport.peerCertificate]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  transport.pause();
  client.write('in clear text');
  await received(raw);
  const upgrade = transport.startTls();
  const tls = connectTls({ socket: client, rejectUnauthorized: false, servername: 'capulet.lit' });
  onTestFinished(() => void tls.destroy());
  await Promise.all([upgrade, once(tls, 'secureConnect')]);
  transport.resume();
  tls.write('encrypted');
  await vi.waitFor(() => expect(heard).toEqual(['encrypted']), { interval: 5 });
  expect(transport.tls).toEqual({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'capulet.lit' });
  expect(transport.channelBinding('tls-server-end-point')).toHaveLength(32);
});

test('a handshake that fails ends the connection', async () => {
  const { client, transport, closed } = await connection();
  const upgrade = transport.startTls();
  client.write('no handshake at all\r\n\r\n');
  await expect(upgrade).rejects.toThrow();
  transport.destroy();
  await gone(closed);
});
