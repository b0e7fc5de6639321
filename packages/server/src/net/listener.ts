import { createServer, type Server, type Socket } from 'node:net';
import { readIntoLentMemory } from './lent-memory.ts';
import { unmapped } from './networks.ts';
import { type ProxyAdmission, receiveProxyHeader } from './proxy-admission.ts';
import type { Endpoint } from './proxy-protocol.ts';
import { TcpTransport } from './tcp.ts';
import type { TlsAcceptor } from './tls.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Other processes may listen on the same port; the system spreads connections over them. */
  readonly reusePort?: boolean;
  readonly acceptor: TlsAcceptor;
  /** Where it is given, every connection comes from a load balancer, and begins with whose it is (PROXY protocol). */
  readonly proxy?: ProxyAdmission | undefined;
  /** False refuses the connection of this client before anything is read from it. */
  admit(address: string): boolean;
  onTransport(transport: TcpTransport): void;
  /** Accepting goes wrong (no descriptors left): called for each time. */
  onError(error: Error): void;
}

/** A TCP port on which clients connect. */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  /** Connections that have not said yet whose they are. */
  readonly #unknown = new Set<Socket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({ keepAlive: true, keepAliveInitialDelay: 60_000, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    );
  }

  /** The port that it listens on: asked for as 0, it is a free one. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { host, port, reusePort = false } = this.#options;
    this.#server.once('error', reject);
    this.#server.listen({ host, port, reusePort, backlog: 1024 }, () => {
      this.#server.off('error', reject);
      this.#server.on('error', this.#options.onError);
      resolve();
    });
    return promise;
  }

  #accept(socket: Socket): void {
    const { proxy } = this.#options;
    const { remoteAddress } = socket;
    // undefined: gone already
    if (remoteAddress === undefined) socket.destroy();
    else if (proxy === undefined)
      this.#take(socket, { address: unmapped(remoteAddress), port: socket.remotePort ?? 0 });
    else void this.#askWhose(socket, unmapped(remoteAddress), proxy);
  }

  async #askWhose(socket: Socket, address: string, proxy: ProxyAdmission): Promise<void> {
    if (!proxy.expect(address)) {
      socket.destroy();
      return;
    }
    this.#unknown.add(socket);
    const header = await receiveProxyHeader(socket, address, proxy);
    this.#unknown.delete(socket);
    if (header !== undefined) this.#take(socket, header.source ?? { address, port: socket.remotePort ?? 0 });
  }

  #take(socket: Socket, peer: Endpoint): void {
    const { admit, acceptor, onTransport } = this.#options;
    if (admit(peer.address)) onTransport(new TcpTransport(readIntoLentMemory(socket), acceptor, peer));
    else socket.destroy();
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    this.#server.close();
    for (const socket of this.#unknown) socket.destroy();
  }
}
