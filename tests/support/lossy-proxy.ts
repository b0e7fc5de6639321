import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type Direction = 'both' | 'to the client' | 'to the server';

/** One connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  toClient: boolean;
  toServer: boolean;
}

/** Forwards TCP connections to a port of this machine until it loses or holds back what they carry. Ends with the test. */
export class LossyProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target: number;
  #toClient = true;
  #toServer = true;
  #frozen = false;

  private constructor(port: number) {
    this.#target = port;
    this.#server = createServer((client) => this.#forward(client, connect(this.#target, '127.0.0.1')));
  }

  static async to(port: number): Promise<LossyProxy> {
    const proxy = new LossyProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    onTestFinished(() => {
      proxy.thaw();
      proxy.cut();
      proxy.#server.close();
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there are, as the proxy has noticed. */
  get connections(): number {
    return this.#pairs.size;
  }

  #forward(client: Socket, server: Socket): void {
    const pair: Pair = { client, server, toClient: this.#toClient, toServer: this.#toServer };
    this.#pairs.add(pair);
    this.#carry(client, server, () => pair.toServer);
    this.#carry(server, client, () => pair.toClient);
    const gone = () => client.destroyed && server.destroyed && this.#pairs.delete(pair);
    client.on('close', gone);
    server.on('close', gone);
    if (this.#frozen) pause(pair);
  }

  /** What goes one way, its end included: who is at the end of a dead line hears no end either. */
  #carry(from: Socket, to: Socket, arrives: () => boolean): void {
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      if (!arrives() || to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => this.#frozen || from.resume());
    });
    from.on('end', () => arrives() && to.end());
    from.on('error', () => {}); // "close" follows
    from.on('close', () => arrives() && to.destroySoon());
  }

  /** From now on new connections lead to another port. */
  redirect(port: number): void {
    this.#target = port;
  }

  /** From now on nothing arrives, though all connections look alive, and new ones as well. */
  lose(direction: Direction): void {
    this.#toClient = direction === 'to the server';
    this.#toServer = direction === 'to the client';
    this.loseExisting(direction);
  }

  /** Nothing arrives any more over these connections, though they look alive; new ones are good. */
  loseExisting(direction: Direction, which: () => boolean = () => true): number {
    const chosen = [...this.#pairs].filter(which);
    for (const pair of chosen) {
      if (direction !== 'to the server') pair.toClient = false;
      if (direction !== 'to the client') pair.toServer = false;
    }
    return chosen.length;
  }

  /** Holds everything back until `thaw`. */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) pause(pair);
  }

  thaw(): void {
    this.#frozen = false;
    for (const { client, server } of this.#pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Breaks all connections, or these; new ones are as good as the first. */
  cut(which: () => boolean = () => true): number {
    const chosen = [...this.#pairs].filter(which);
    for (const { client, server } of chosen) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    this.#toClient = true;
    this.#toServer = true;
    return chosen.length;
  }
}

function pause({ client, server }: Pair): void {
  client.pause();
  server.pause();
}
