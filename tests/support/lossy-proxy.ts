import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Forwards TCP connections to a port of this machine until it loses them. Ends with the test. */
export class LossyProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #toServer = true;
  #toClient = true;

  private constructor(port: number) {
    this.#server = createServer((client) => this.#forward(client, connect(port, '127.0.0.1')));
  }

  static async to(port: number): Promise<LossyProxy> {
    const proxy = new LossyProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    onTestFinished(() => {
      proxy.cut();
      proxy.#server.close();
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #forward(client: Socket, server: Socket): void {
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => {
        if (from === client ? this.#toServer : this.#toClient) to.write(bytes);
      });
      from.on('error', () => {}); // "close" follows
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }

  /** From now on nothing arrives, though all connections look alive. */
  lose(direction: 'both' | 'to the client'): void {
    this.#toClient = false;
    this.#toServer = direction === 'to the client';
  }

  /** Breaks all connections; new ones are as good as the first. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#toClient = true;
    this.#toServer = true;
  }
}
