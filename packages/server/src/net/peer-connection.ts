import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, connect as secureConnect, type TLSSocket } from 'node:tls';
import { dial, established, faultOf, inOneLine } from './dial.ts';
import { flushAtEndOfTurn } from './flush.ts';
import type { CertificateFiles } from './secure-context.ts';
import { Written } from './written.ts';

/** What a connection is encrypted with, made once for many. */
export type PeerContext = SecureContext;

export interface PeerTlsSettings {
  /** What we show of ourselves. */
  readonly own: CertificateFiles | undefined;
  /** Those (PEM) who vouch for the other side. */
  readonly authorities: string | string[];
  /** What they have revoked: lists (PEM). Where there are any, each authority needs a valid one. */
  readonly revocations?: readonly string[];
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
}

/** What connections to other servers are encrypted with. Throws where the files are no good. */
export function peerContext(settings: PeerTlsSettings): PeerContext {
  const { own, authorities, revocations = [], minVersion, ciphers } = settings;
  return createSecureContext({
    ...(own && { cert: own.certificate, key: own.key }),
    ca: authorities,
    ...(revocations.length > 0 && { crl: [...revocations] }),
    minVersion,
    ciphers,
  });
}

/** What the other side has shown of itself. */
export interface PeerProof {
  readonly protocol: string;
  readonly cipher: string;
  /** Its own certificate, with those that it has sent behind it. */
  readonly certificate: X509Certificate | undefined;
  /** Whose it is, by whom, until when: for people. */
  readonly shown: { readonly subject: string; readonly issuer: string; readonly validTo: Date } | undefined;
  /** Why nobody whom we trust vouches for it, in OpenSSL's words; undefined where somebody does. */
  readonly fault: string | undefined;
}

export interface PeerHandler {
  onData(bytes: Buffer): void;
  /** The connection is over. Called once. */
  onClose(reason: string): void;
}

/** XEP-0368 §2 */
const ALPN = 'xmpp-server';

const NOTHING = Buffer.alloc(0);

/** A connection that this server has made to another one. */
export class PeerConnection {
  readonly address: string;
  readonly port: number;
  handler: PeerHandler = { onData() {}, onClose() {} };
  readonly #raw: Socket;
  #socket: Socket;
  #out = new Written();
  #closed = false;
  #reason = 'closed by the other side';

  private constructor(socket: Socket, address: string, port: number) {
    this.#raw = socket;
    this.#socket = socket;
    this.address = address;
    this.port = port;
    this.#listen(socket);
  }

  /** Throws a DialError, also when `signal` aborts. */
  static async open(address: string, port: number, signal: AbortSignal): Promise<PeerConnection> {
    return new PeerConnection(await dial(address, port, signal), address, port);
  }

  /**
   * Encrypts the connection. Whether the certificate is good is told, and not judged. Throws a DialError, also when
   * `signal` aborts; the connection is gone then.
   */
  async startTls(context: PeerContext, serverName: string, alpn: boolean, signal: AbortSignal): Promise<PeerProof> {
    this.flush();
    const raw = this.#raw;
    raw.removeAllListeners('data').removeAllListeners('close').removeAllListeners('end');
    const options = { socket: raw, servername: serverName, secureContext: context, rejectUnauthorized: false };
    const secure = secureConnect({
      ...options,
      checkServerIdentity: () => undefined, // by RFC 9525 and RFC 6120 it is more than a host's name
      ...(alpn && { ALPNProtocols: [ALPN] }),
    });
    this.#socket = secure;
    try {
      await established(secure, 'secureConnect', () => 'encryption', signal);
    } catch (error) {
      this.#onClose();
      raw.destroy();
      throw error;
    }
    this.#listen(secure);
    return proof(secure);
  }

  #listen(socket: Socket): void {
    socket.on('data', (bytes: Buffer) => this.handler.onData(bytes));
    socket.on('error', (error) => {
      this.#reason = error.message;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#onClose());
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#out = new Written();
    this.handler.onClose(this.#reason);
  }

  /** Bytes that wait to be sent, in all layers. */
  get buffered(): number {
    const own = this.#out.length + this.#socket.writableLength;
    return this.#socket === this.#raw ? own : own + this.#raw.writableLength;
  }

  /** Adds to what goes out, in one write, when this turn of the event loop ends: answers that. Undefined where it is over. */
  write(text: string): Written | undefined {
    if (this.#closed) return undefined;
    if (this.#out.length === 0) flushAtEndOfTurn(this);
    this.#out.add(text);
    return this.#out;
  }

  /** Called at the end of the turn. */
  flush(): void {
    if (this.#closed || this.#out.length === 0) return;
    const { text } = this.#out;
    this.#out = new Written();
    this.#socket.write(text);
  }

  /** Calls back once, when all that was written so far is with the operating system; never where the connection ends first. */
  whenSent(done: () => void): void {
    // at the end of the turn, or this would tear apart what goes out together; an empty write ends when everything before has
    setImmediate(() => {
      if (!this.#closed && this.#socket.writable)
        this.#socket.write(NOTHING, (error) => error || this.#closed || done());
    });
  }

  /** Calls back once when what waits has become little again. */
  onceDrained(done: () => void): void {
    this.flush();
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', done);
    else setImmediate(done);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#closed) this.#socket.resume();
  }

  /** Sends what waits, closes, and cuts the connection where the other side has not closed in time. */
  end(timeoutMs: number): void {
    if (this.#closed) return;
    this.flush();
    this.#reason = 'closed by us';
    this.#socket.end();
    this.#socket.resume();
    const timer = setTimeout(() => this.destroy(), timeoutMs);
    this.#raw.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    if (this.#closed) return;
    this.#out = new Written();
    this.#socket.destroy();
    this.#raw.destroy();
  }
}

function proof(secure: TLSSocket): PeerProof {
  const certificate = secure.getPeerX509Certificate();
  return {
    protocol: secure.getProtocol() ?? '',
    cipher: secure.getCipher()?.standardName ?? '',
    certificate,
    shown: certificate && {
      subject: inOneLine(certificate.subject),
      issuer: inOneLine(certificate.issuer),
      validTo: certificate.validToDate,
    },
    fault: faultOf(secure),
  };
}
