import { connect } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Wire } from './client.ts';
import type { MemoryTransport } from './memory-transport.ts';

/** A wire without a network. What the server writes arrives in the same turn. */
export function memoryWire(transport: MemoryTransport): Wire {
  return {
    send: (bytes) => transport.push(bytes),
    onData: (listener) => {
      transport.onText = (text) => listener(Buffer.from(text));
    },
    onEnd: (listener) => {
      transport.onEnd = listener;
    },
    break: () => transport.break(),
  };
}

/** What a client shows of itself, PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A wire over loopback TCP, from an address of it; `upgrade` starts TLS on it and gives the socket that has it. */
export async function socketWire(
  port: number,
  localAddress = '127.0.0.1',
): Promise<Wire & { upgrade(domain: string, own?: ClientCertificate): Promise<TLSSocket> }> {
  let socket = connect({ port, host: '127.0.0.1', localAddress });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (socket.localPort === port) {
    socket.destroy(); // TCP may connect a port to itself where nobody listens
    throw new Error('Nobody listens there.');
  }
  let encrypted = false;
  let onData: (bytes: Buffer) => void = () => {};
  let onEnd: () => void = () => {};
  const listen = () => {
    socket.on('data', (bytes: Buffer) => onData(bytes));
    socket.on('error', () => {});
    socket.on('close', () => onEnd());
  };
  listen();
  return {
    send: (bytes) => socket.write(bytes),
    onData: (listener) => {
      onData = listener;
    },
    onEnd: (listener) => {
      onEnd = listener;
    },
    break: () => (encrypted ? socket.destroy() : socket.resetAndDestroy()),
    async upgrade(domain, own) {
      socket.removeAllListeners();
      const tls = connectTls({ socket, servername: domain, rejectUnauthorized: false, ...own });
      await new Promise((resolve, reject) => {
        tls.once('secureConnect', resolve);
        tls.once('error', reject);
        tls.once('close', () => reject(new Error('The connection was closed.')));
      });
      socket = tls as unknown as typeof socket;
      encrypted = true;
      listen();
      return tls;
    },
  };
}
