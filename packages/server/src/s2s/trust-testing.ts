/** What servers show of themselves, as OpenSSL hands it on, for tests. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { PeerConnection, type PeerProof, peerContext } from '../net/peer-connection.ts';

/** Connects to a server that shows this, with trust in these authorities. */
export async function shownBy(
  own: { readonly cert: string; readonly key: string },
  authorities: string | string[],
  revocations?: readonly string[],
): Promise<PeerProof> {
  const secureContext = createSecureContext(own);
  const server = createServer((socket) => {
    new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => {});
  });
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const signal = AbortSignal.timeout(120_000);
  const connection = await PeerConnection.open('127.0.0.1', (server.address() as AddressInfo).port, signal);
  try {
    const context = peerContext({
      own: undefined,
      authorities,
      ...(revocations && { revocations }),
      minVersion: 'TLSv1.3',
      ciphers: 'DEFAULT',
    });
    return await connection.startTls(context, 'a.example', false, signal);
  } finally {
    connection.destroy();
  }
}
