import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned } from './self-signed.ts';
import { TcpTransport } from './tcp.ts';
import { TlsAcceptor } from './tls.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Both ends of a connection; the client does not read yet. */
async function connection(): Promise<{ transport: TcpTransport; client: Socket }> {
  const files = new Map([['', await selfSigned(['localhost'])]]);
  const settings = { minVersion: 'TLSv1.2', ciphers: 'TLS_AES_128_GCM_SHA256', handshakeTimeoutMs: 60_000 } as const;
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  const [socket] = (await accepted) as [Socket];
  return { transport: new TcpTransport(socket, new TlsAcceptor(settings, files)), client: client.pause() };
}

async function encrypted(): Promise<{ transport: TcpTransport; client: Socket }> {
  const { transport, client } = await connection();
  const tls = connectTls({ socket: client, rejectUnauthorized: false });
  await Promise.all([transport.startTls(), once(tls, 'secureConnect')]);
  return { transport, client: tls.pause() };
}

describe.each([
  ['in clear text', connection],
  ['over TLS', encrypted],
])('%s', (_, open) => {
  it('tells when what was written is out, and not before', async () => {
    const { transport, client } = await open();
    const sent: string[] = [];
    await new Promise<void>((resolve) => {
      transport.write('hello');
      transport.whenSent(resolve);
    });

    transport.write('x'.repeat(64 * 1024 * 1024)); // more than any socket buffer holds
    const out = new Promise<void>((resolve) => {
      transport.whenSent(() => {
        sent.push('first');
        resolve();
      });
    });
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(sent).toEqual([]);
    expect(transport.blocked).toBe(true);
    client.resume();
    await out;
    expect(sent).toEqual(['first']);
    expect(transport.buffered).toBe(0);
  });

  it('never tells once the connection has ended', async () => {
    const { transport, client } = await open();
    const sent: string[] = [];
    transport.write('x'.repeat(64 * 1024 * 1024));
    transport.whenSent(() => sent.push('before the end'));
    const closed = new Promise<void>((resolve) => {
      transport.handler = { onData() {}, onClose: () => resolve() };
    });
    client.destroy();
    await closed;
    transport.whenSent(() => sent.push('after the end'));
    await nextTurn();
    expect(sent).toEqual([]);
  });
});
