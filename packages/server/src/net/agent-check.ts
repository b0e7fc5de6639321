import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface AgentCheckOptions {
  /** The line, without its end. */
  answer(): string;
  /** Accepting goes wrong (no descriptors left): called for each time. */
  onError(error: Error): void;
}

const MOST_CONNECTIONS = 64;
/** Absolute: whoever keeps sending is cut, too. */
const PATIENCE_MS = 5000;

/** A port for HAProxy's agent checks: each connection gets one line and is closed. What comes in is not looked at. */
export class AgentCheck implements AsyncDisposable {
  readonly #options: AgentCheckOptions;
  readonly #open = new Set<Socket>();
  readonly #server = createServer((socket) => this.#answer(socket));

  constructor(options: AgentCheckOptions) {
    this.#options = options;
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  /** Resolves with the port. */
  listen({ host, port }: { host: string; port: number }): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.once('error', reject);
    this.#server.listen({ host, port }, () => {
      this.#server.off('error', reject);
      this.#server.on('error', this.#options.onError);
      resolve((this.#server.address() as AddressInfo).port);
    });
    return promise;
  }

  #answer(socket: Socket): void {
    this.#open.add(socket);
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    socket.on('error', () => {}); // an abrupt end is an end
    socket.once('close', () => {
      clearTimeout(timer);
      this.#open.delete(socket);
    });
    socket.resume();
    socket.end(`${this.#options.answer()}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Answers with an error where it never listened; closed it is all the same.
    this.#server.close(() => resolve());
    for (const socket of this.#open) socket.destroy();
    await promise;
  }
}
