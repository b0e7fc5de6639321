import { connect as connectTcp, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';

export interface ClientTls {
  /** The name that the certificate has to be for. */
  readonly host: string;
  /** Authorities (PEM) instead of those that Node.js knows. */
  readonly authorities?: string | Buffer | undefined;
}

export interface ClientSocketOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly tls?: ClientTls | undefined;
  /** For the connection and the handshake together. */
  readonly timeoutMs: number;
}

export interface ClientSocketHandler {
  onData(bytes: Buffer): void;
  /** Called once, unless whoever has the socket has destroyed it. */
  onClose(reason: string): void;
}

/** How often the operating system asks a silent peer whether it is there. */
const KEEP_ALIVE_MS = 30_000;

/** A connection that this node makes to a server that speaks bytes, with TLS at once or later. */
export class ClientSocket {
  handler: ClientSocketHandler = { onData() {}, onClose() {} };
  #socket: Socket;
  #encrypted = false;
  #closed = false;
  #reason = 'closed by the server';

  private constructor(socket: Socket, encrypted: boolean) {
    this.#socket = socket;
    this.#encrypted = encrypted;
    this.#listen();
  }

  /** Rejects where there is no connection in time, or its certificate is not good. */
  static async connect({ host, port, tls, timeoutMs }: ClientSocketOptions): Promise<ClientSocket> {
    const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ...tlsOptions(tls) });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    await ready(socket, tls === undefined ? 'connect' : 'secureConnect', timeoutMs);
    return new ClientSocket(socket, tls !== undefined);
  }

  get encrypted(): boolean {
    return this.#encrypted;
  }

  /** TLS from here on; nothing may be on its way. Rejects where the handshake fails; the connection is gone then. */
  async startTls(tls: ClientTls, timeoutMs: number): Promise<void> {
    const raw = this.#socket;
    for (const event of ['data', 'error', 'close']) raw.removeAllListeners(event);
    const socket: TLSSocket = connectTls({ socket: raw, ...tlsOptions(tls) });
    this.#socket = socket;
    await ready(socket, 'secureConnect', timeoutMs);
    this.#encrypted = true;
    this.#listen();
  }

  write(bytes: Uint8Array): void {
    if (!this.#closed) this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Lets go of it at once; the handler hears nothing of it. */
  destroy(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  /** Sends what waits and lets go of it. */
  end(): void {
    this.#closed = true;
    this.#socket.destroySoon();
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#closed) this.handler.onData(bytes);
    });
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      this.handler.onClose(this.#reason);
    });
  }
}

function tlsOptions({ host, authorities }: ClientTls) {
  return {
    minVersion: 'TLSv1.2' as const,
    // SNI is for names only (RFC 6066 §3)
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(authorities !== undefined && { ca: authorities }),
    checkServerIdentity: (_: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(host, certificate),
  };
}

function ready(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = () => reject(new Error(`There was no answer within ${timeoutMs / 1000} s.`));
  const timer = setTimeout(late, timeoutMs);
  const closed = () => reject(new Error('The connection was closed before it was there.'));
  const ended = () => {
    clearTimeout(timer);
    socket.off(event, resolve).off('close', closed).off('error', reject);
  };
  socket.once(event, resolve).once('close', closed).on('error', reject);
  return promise.then(ended, (error) => {
    ended();
    socket.on('error', () => {}); // whatever is still to come of it
    socket.destroy();
    throw error;
  });
}
