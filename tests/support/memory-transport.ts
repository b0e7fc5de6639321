import type {
  ChannelBindingType,
  Codec,
  PeerCertificate,
  TlsDetails,
  Transport,
  TransportHandler,
} from '@parley/server/net/transport';

/** A connection without a network: what the server writes goes to `onText`, what the client sends comes by `push`. */
export class MemoryTransport implements Transport {
  remoteAddress = '192.0.2.1';
  readonly remotePort = 50_000;
  peerCertificate: Buffer | undefined;
  shown: PeerCertificate | undefined;
  readonly bindings = new Map<ChannelBindingType, Buffer>();
  buffered = 0;
  sent = 0;
  handler: TransportHandler = { onData() {}, onClose() {} };
  tls: TlsDetails | undefined = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: undefined };
  onText: (text: string) => void = () => {};
  onEnd: () => void = () => {};
  #paused = false;
  #closed = false;
  #blocked = false;
  #waiting: Buffer[] = [];
  #unsent: (() => void)[] = [];

  /** Bytes from the client; they wait while the server does not read. */
  push(bytes: Buffer): void {
    if (this.#closed) return;
    if (this.#paused) this.#waiting.push(bytes);
    else this.handler.onData(bytes);
  }

  /** The connection breaks. */
  break(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.handler.onClose('connection reset');
    this.onEnd();
  }

  write(text: string): void {
    if (this.#closed) return;
    this.handler.onWritten?.(Buffer.byteLength(text));
    this.onText(text);
  }

  /** While it is true, the client does not read; what is written arrives all the same. */
  get blocked(): boolean {
    return this.#blocked;
  }

  set blocked(blocked: boolean) {
    this.#blocked = blocked;
    if (!blocked) for (const done of this.#unsent.splice(0)) this.whenSent(done);
  }

  whenSent(done: () => void): void {
    if (this.#blocked) this.#unsent.push(done);
    else queueMicrotask(() => this.#closed || done());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    while (!this.#paused && this.#waiting.length > 0) this.handler.onData(this.#waiting.shift() as Buffer);
  }

  startTls(): Promise<void> {
    return Promise.reject(new Error('There is no TLS in memory.'));
  }

  channelBinding(type: ChannelBindingType): Buffer | undefined {
    return this.bindings.get(type);
  }

  useCodec(_codec: Codec): void {
    throw new Error('There is no compression in memory.');
  }

  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.handler.onClose('closed by the server');
    this.onEnd();
  }

  destroy(): void {
    this.end();
  }
}
