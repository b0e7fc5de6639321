import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { flushAtEndOfTurn } from './flush.ts';
import { unmapped } from './networks.ts';
import type { Endpoint } from './proxy-protocol.ts';
import type { TlsAcceptor } from './tls.ts';
import type {
  ChannelBindingType,
  Codec,
  PeerCertificate,
  TlsDetails,
  Transport,
  TransportHandler,
} from './transport.ts';

const EMPTY = Buffer.alloc(0);

/** A transport over an accepted TCP connection. */
export class TcpTransport implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  handler: TransportHandler = { onData() {}, onClose() {} };
  readonly #raw: Socket;
  readonly #acceptor: TlsAcceptor;
  #socket: Socket;
  #tls: TLSSocket | undefined;
  /** Once the handshake is done they stay the same. */
  #details: TlsDetails | undefined;
  #codec: Codec | undefined;
  #coding: Promise<void> = Promise.resolve();
  #out = '';
  /** What came right behind the header of a load balancer is still to be read. */
  #unread: boolean;
  #paused = false;
  #closed = false;
  #ending = false;
  #reason = 'closed by the peer';

  /** `peer` is who is said to be at the far end, where that is not whom the socket leads to. */
  constructor(socket: Socket, acceptor: TlsAcceptor, peer?: Endpoint) {
    this.#raw = socket;
    this.#socket = socket;
    this.#acceptor = acceptor;
    this.remoteAddress = peer?.address ?? unmapped(socket.remoteAddress ?? '');
    this.remotePort = peer?.port ?? socket.remotePort ?? 0;
    this.#unread = socket.readableLength > 0;
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => {
      this.#unread = false;
      this.handler.onData(bytes);
    });
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    // the peer's end is the end of both directions: there is nothing to say to somebody who does not listen
    socket.on('end', () => this.#socket.end());
    socket.on('close', () => this.#onClose());
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#out = '';
    this.#codec?.inflate.destroy();
    this.#codec?.deflate.destroy();
    this.handler.onClose(this.#reason);
  }

  get tls(): TlsDetails | undefined {
    const tls = this.#tls;
    if (tls === undefined || this.#details !== undefined) return this.#details;
    const name = tls.servername;
    return {
      protocol: tls.getProtocol() ?? '',
      cipher: tls.getCipher()?.standardName ?? '',
      serverName: typeof name === 'string' ? name : undefined,
    };
  }

  get peerCertificate(): Buffer | undefined {
    return this.#tls === undefined ? undefined : this.#acceptor.verifiedCertificate(this.#tls)?.raw;
  }

  get shown(): PeerCertificate | undefined {
    return this.#tls === undefined ? undefined : this.#acceptor.shown(this.#tls);
  }

  get blocked(): boolean {
    return this.#socket.writableNeedDrain || (this.#codec?.deflate.writableNeedDrain ?? false);
  }

  get buffered(): number {
    const deflate = this.#codec?.deflate;
    const coded = deflate === undefined ? 0 : deflate.writableLength + deflate.readableLength;
    const own = this.#out.length + this.#socket.writableLength + coded;
    return this.#tls === undefined ? own : own + this.#raw.writableLength;
  }

  get sent(): number {
    return this.#raw.bytesWritten - this.#raw.writableLength;
  }

  write(text: string): void {
    if (this.#closed || this.#ending) return;
    if (this.#out === '') flushAtEndOfTurn(this);
    this.#out += text;
  }

  /** Called at the end of the turn. */
  flush(): void {
    if (this.#closed || this.#out === '') return;
    const text = this.#out;
    this.#out = '';
    // here, where the text is put together anyway: for each part of it, it would cost more than all else that is counted
    this.handler.onWritten?.(Buffer.byteLength(text));
    if (this.#codec === undefined) {
      this.#socket.write(text);
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#coding = promise;
    // what came out of it is written to the socket in the same turn
    this.#codec.deflate.write(text, () => setImmediate(resolve));
  }

  whenSent(done: () => void): void {
    this.flush();
    // an empty write ends when everything before it has gone out
    const wait = () => {
      if (!this.#closed && !this.#ending) this.#socket.write(EMPTY, (error) => error || this.#closed || done());
    };
    if (this.#codec === undefined) wait();
    else this.#coding.then(wait);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    (this.#codec?.inflate ?? this.#socket).pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    (this.#codec?.inflate ?? this.#socket).resume();
  }

  async startTls(): Promise<void> {
    this.flush();
    const raw = this.#raw;
    raw.pause();
    raw.removeAllListeners('data');
    raw.removeAllListeners('end');
    raw.removeAllListeners('error');
    raw.removeAllListeners('close');
    // What came before the handshake in clear text is not ours to read (RFC 6120 §5.4.3.3); the first bytes of all are
    // the handshake.
    if (!this.#unread) while (raw.read() !== null);
    raw.once('error', (error) => {
      this.#reason = error.message;
    });
    const tls = this.#acceptor.wrap(raw);
    this.#socket = tls;
    this.#tls = tls;
    tls.on('error', (error) => {
      this.#reason = error.message;
    });
    tls.once('close', () => this.#onClose());
    await this.#acceptor.handshake(tls);
    tls.removeAllListeners('error');
    tls.removeAllListeners('close');
    this.#details = this.tls;
    this.#listen(tls);
    if (this.#paused) tls.pause();
  }

  channelBinding(type: ChannelBindingType): Buffer | undefined {
    return this.#tls === undefined ? undefined : this.#acceptor.channelBinding(this.#tls, type);
  }

  useCodec(codec: Codec): void {
    this.flush();
    this.#codec = codec;
    const socket = this.#socket;
    socket.removeAllListeners('data');
    codec.inflate.on('data', (bytes: Buffer) => this.handler.onData(bytes));
    if (this.#paused) {
      codec.inflate.pause();
      socket.resume();
    }
    socket.on('data', (bytes: Buffer) => {
      // a copy: what was read is lent, and inflating takes its time
      if (codec.inflate.destroyed || codec.inflate.write(Buffer.from(bytes))) return;
      socket.pause();
      codec.inflate.once('drain', () => socket.resume());
    });
    codec.deflate.on('data', (bytes: Buffer) => socket.write(bytes));
  }

  end(timeoutMs: number, onTimeout: () => void): void {
    if (this.#closed || this.#ending) return;
    this.flush();
    this.#ending = true;
    this.#reason = 'closed by us';
    this.#endOutput();
    const timer = setTimeout(() => {
      onTimeout();
      this.destroy();
    }, timeoutMs);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.resume();
  }

  #endOutput(): void {
    const socket = this.#socket;
    const codec = this.#codec;
    if (codec === undefined) {
      socket.end();
      return;
    }
    codec.inflate.destroy(); // what still comes is not worth inflating
    if (codec.deflate.destroyed) socket.end();
    else codec.deflate.once('end', () => socket.end()).end();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#out = '';
    this.#socket.destroy();
    if (this.#tls !== undefined) this.#raw.destroy();
  }
}
