import { createSocket, type Socket } from 'node:dgram';
import type { Sink } from './audit-queue.ts';

/** One datagram a message (RFC 5426 §3.1). Whether it arrives nobody knows, except where nobody listens on the machine. */
export class DatagramSink implements Sink {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #failed: Error | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  send([line = Buffer.alloc(0)]: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void {
    // it came behind an earlier one: that is gone, but this one need not be
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) {
      process.nextTick(done, failed, 0);
      return;
    }
    this.#connected((error, socket) => {
      if (socket === undefined) done(error, 0);
      else socket.send(line, (refused) => done(refused ?? undefined, refused ? 0 : line.length));
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Connected, it hears that a port is closed. */
  #connected(use: (error: Error | undefined, socket?: Socket) => void): void {
    if (this.#socket !== undefined) {
      use(undefined, this.#socket);
      return;
    }
    const socket = createSocket({ type: this.#host.includes(':') ? 'udp6' : 'udp4' }).unref();
    // Node calls it with an error, too, which its types do not say
    const connected = (error?: Error) => {
      if (error !== undefined) {
        socket.close();
        use(error);
        return;
      }
      this.#socket = socket;
      use(undefined, socket);
    };
    socket.on('error', (error) => {
      this.#failed = error;
    });
    socket.connect(this.#port, this.#host, connected);
  }
}
