import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { dial, encrypt } from '../net/dial.ts';
import type { Sink } from './audit-queue.ts';

const CONNECT_MS = 10_000;
const WRITE_MS = 30_000;

export interface StreamSinkOptions {
  readonly host: string;
  readonly port: number;
  /** Whom to trust, and as whom to come; without it the connection is not encrypted. */
  readonly secure?: SecureContext | undefined;
}

/**
 * A connection to a syslog server (RFC 6587; RFC 5425 where it is encrypted). The protocol has no acknowledgements: what the
 * system had taken when a connection breaks may be lost; what it had not is sent again.
 */
export class StreamSink implements Sink {
  readonly #options: StreamSinkOptions;
  #socket: Socket | undefined;
  readonly #end = new AbortController();

  constructor(options: StreamSinkOptions) {
    this.#options = options;
  }

  send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void {
    this.#connected().then(
      (socket) => write(socket, Buffer.concat(lines), done),
      (error) => done(error as Error, 0),
    );
  }

  close(): void {
    this.#end.abort();
    this.#socket?.end();
    this.#socket?.unref();
  }

  async #connected(): Promise<Socket> {
    if (this.#socket !== undefined) return this.#socket;
    const { host, port, secure } = this.#options;
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(CONNECT_MS)]);
    const plain = await dial(host, port, signal);
    const socket = secure === undefined ? plain : await encrypt(plain, host, secure, signal);
    // it says nothing, except that it goes
    socket.resume();
    socket.once('close', () => {
      this.#socket = undefined;
    });
    this.#socket = socket;
    return socket;
  }
}

function write(socket: Socket, bytes: Buffer, done: (error: Error | undefined, bytes: number) => void): void {
  const stalled = setTimeout(() => socket.destroy(new Error('The syslog server takes nothing.')), WRITE_MS).unref();
  socket.write(bytes, (error) => {
    clearTimeout(stalled);
    if (error) socket.destroy();
    done(error ?? undefined, error ? 0 : bytes.length);
  });
}
