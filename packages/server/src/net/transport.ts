import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';

/** What is known of an encrypted connection. */
export interface TlsDetails {
  readonly protocol: string;
  readonly cipher: string;
  /** The server name that the client asked for (SNI), if any. */
  readonly serverName: string | undefined;
}

/** A certificate that the peer showed, with those that it sent along as its issuers. */
export interface PeerCertificate {
  readonly certificate: X509Certificate;
  /** Why no authority vouches for it, in OpenSSL's words (`CERT_HAS_EXPIRED`); undefined where one does. */
  readonly fault: string | undefined;
}

export type ChannelBindingType = 'tls-exporter' | 'tls-unique' | 'tls-server-end-point';

export interface TransportHandler {
  /** The bytes are lent, and others as soon as this returns. */
  onData(bytes: Buffer): void;
  /** So many bytes of what was written go out now, before compression and encryption. */
  onWritten?(count: number): void;
  /** The connection is over: nothing more comes, and nothing can be sent. Called once. */
  onClose(reason: string): void;
}

/**
 * Stream compression: what arrives goes through `inflate`, in small steps and no faster than it is read; what is written
 * goes through `deflate`, which gives out all of it at each write.
 */
export interface Codec {
  readonly inflate: Duplex;
  readonly deflate: Duplex;
}

/** Bytes in and out, plus TLS and channel binding. */
export interface Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly tls: TlsDetails | undefined;
  /** DER of the certificate that the peer showed and that was verified, if any. */
  readonly peerCertificate: Buffer | undefined;
  /** What the peer showed, good or not; undefined where it showed nothing, or was not asked. */
  readonly shown: PeerCertificate | undefined;
  /** The peer does not read as fast as it is written to. */
  readonly blocked: boolean;
  /** Bytes that wait to be sent, in all layers. */
  readonly buffered: number;
  /** Bytes that the operating system has taken so far: grows while the peer reads. */
  readonly sent: number;
  handler: TransportHandler;
  /** Adds to what goes out, in one write, when this turn of the event loop ends. */
  write(text: string): void;
  /** Calls back once, when all that was written so far is with the operating system; never where the connection ends first. */
  whenSent(done: () => void): void;
  /** Stop and start reading: back-pressure to the peer. */
  pause(): void;
  resume(): void;
  /**
   * Upgrades to TLS as the server; received bytes that were not read yet are dropped. Rejects where the handshake
   * fails or takes too long; the connection is gone then.
   */
  startTls(): Promise<void>;
  channelBinding(type: ChannelBindingType): Buffer | undefined;
  /** From now on everything goes through the codec (XEP-0138). */
  useCodec(codec: Codec): void;
  /**
   * Sends what waits, closes, and cuts the connection where the peer has not closed after `timeoutMs`; then it calls
   * back.
   */
  end(timeoutMs: number, onTimeout: () => void): void;
  destroy(): void;
}
