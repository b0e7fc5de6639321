import { createServer, type Server, type Socket } from 'node:net';
import { TcpTransport } from './tcp.ts';
import type { TlsAcceptor } from './tls.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly acceptor: TlsAcceptor;
  /** False refuses the connection before anything is read from it. */
  admit(socket: Socket): boolean;
  onTransport(transport: TcpTransport): void;
  /** Accepting goes wrong (no descriptors left): called for each time. */
  onError(error: Error): void;
}

/** A TCP port on which clients connect. */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;

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
    const { host, port } = this.#options;
    this.#server.once('error', reject);
    this.#server.listen({ host, port, backlog: 1024 }, () => {
      this.#server.off('error', reject);
      this.#server.on('error', this.#options.onError);
      resolve();
    });
    return promise;
  }

  #accept(socket: Socket): void {
    if (this.#options.admit(socket)) this.#options.onTransport(new TcpTransport(socket, this.#options.acceptor));
    else socket.destroy();
  }

  /** Stops accepting; what is connected stays. */
  close(): void {
    this.#server.close();
  }
}
