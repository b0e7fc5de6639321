import { createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { hasExtendedMasterSecret } from './extended-master-secret.ts';
import { type CertificateFiles, type SecureSettings, secureContext } from './secure-context.ts';
import type { ChannelBindingType, PeerCertificate } from './transport.ts';

export interface TlsSettings extends SecureSettings {
  readonly handshakeTimeoutMs: number;
  /** What is agreed on where TLS begins with the first byte (XEP-0368 §2); `xmpp-client` where it is left out. */
  readonly protocol?: 'xmpp-client' | 'xmpp-server';
}

/** The handshake was not done in time. */
export class HandshakeTimeout extends Error {
  override readonly name = 'HandshakeTimeout';
}

interface Entry {
  context(): SecureContext;
  readonly leaf: X509Certificate;
  readonly endPoint: Buffer;
}

/**
 * Certificates by domain, and the server's side of handshakes. Replacing the certificates changes handshakes to come;
 * what is connected stays.
 */
export class TlsAcceptor {
  #settings: TlsSettings;
  #default: Entry;
  #byName = new Map<string, Entry>();
  /** What each connection was shown, which a reload does not change. */
  readonly #shown = new WeakMap<TLSSocket, Entry>();
  /** It stays the same, since nobody may shake hands again, and is asked for several times in a login. */
  readonly #bindings = new WeakMap<TLSSocket, Bindings>();

  /** `files` under the name '' serve every domain without its own. Throws where a file is none or key and certificate do not belong together. */
  constructor(settings: TlsSettings, files: ReadonlyMap<string, CertificateFiles>) {
    this.#settings = settings;
    this.#default = this.#load(files);
  }

  /** Takes new settings and certificates; throws, and keeps the old ones, where they are not good. */
  replace(settings: TlsSettings, files: ReadonlyMap<string, CertificateFiles>): void {
    const before = { settings: this.#settings, byName: this.#byName };
    this.#settings = settings;
    try {
      this.#default = this.#load(files);
    } catch (error) {
      this.#settings = before.settings;
      this.#byName = before.byName;
      throw error;
    }
  }

  #load(files: ReadonlyMap<string, CertificateFiles>): Entry {
    const byName = new Map<string, Entry>();
    let fallback: Entry | undefined;
    for (const [name, pem] of files) {
      const entry = this.#entry(pem);
      if (name === '') fallback = entry;
      else byName.set(name, entry);
    }
    fallback ??= byName.values().next().value;
    if (fallback === undefined) throw new Error('There is no certificate.');
    fallback.context();
    this.#byName = byName;
    return fallback;
  }

  #entry(pair: CertificateFiles): Entry {
    const settings = this.#settings;
    const leaf = new X509Certificate(pair.certificate);
    const plain = secureContext({ ...settings, clientAuthorities: undefined, clientRevocations: undefined }, pair);
    // all authorities of a machine take milliseconds and a megabyte: nobody waits for those of domains that nobody asks for
    let context = settings.clientAuthorities === undefined ? plain : undefined;
    return {
      context() {
        context ??= secureContext(settings, pair);
        return context;
      },
      leaf,
      endPoint: endPointHash(leaf),
    };
  }

  /** When the certificate of a domain ends to be valid, in milliseconds since 1970. */
  expiresAt(domain: string): number {
    return this.#entryFor(domain).leaf.validToDate.getTime();
  }

  #entryFor(serverName: unknown): Entry {
    return (typeof serverName === 'string' && this.#byName.get(serverName.toLowerCase())) || this.#default;
  }

  wrap(socket: Socket): TLSSocket {
    const settings = this.#settings;
    const entry = this.#default;
    const onlyEntry = this.#byName.values().every((other) => other === entry);
    const tls: TLSSocket = new TLSSocket(socket, {
      isServer: true,
      secureContext: entry.context(),
      // the handshake stops for the answer, which is for nothing where there is one
      SNICallback: onlyEntry
        ? undefined
        : (name, done) => {
            const asked = this.#entryFor(name);
            this.#shown.set(tls, asked);
            done(null, asked.context());
          },
      ALPNProtocols: [settings.protocol ?? 'xmpp-client'],
      requestCert: settings.clientAuthorities !== undefined,
      rejectUnauthorized: false,
    });
    this.#shown.set(tls, entry);
    return tls;
  }

  /** Resolves when the handshake is done; otherwise the socket is destroyed and the promise rejects. */
  handshake(tls: TLSSocket): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      reject(new HandshakeTimeout('the TLS handshake took too long'));
      tls.destroy();
    }, this.#settings.handshakeTimeoutMs);
    tls.once('secure', resolve);
    tls.once('error', reject);
    tls.once('close', () => reject(new Error('the connection closed during the TLS handshake')));
    return promise.finally(() => clearTimeout(timer));
  }

  /** The certificate that the client showed, where an authority vouches for it. */
  verifiedCertificate(tls: TLSSocket): X509Certificate | undefined {
    const shown = this.shown(tls);
    return shown?.fault === undefined ? shown?.certificate : undefined;
  }

  /** The certificate that the client showed, good or not. */
  shown(tls: TLSSocket): PeerCertificate | undefined {
    // Node sets `authorized` for sockets of a tls.Server alone; of others only the handle knows.
    const { _handle: handle } = tls as unknown as { _handle?: { verifyError?(): { code: string } | null | undefined } };
    if (this.#settings.clientAuthorities === undefined || handle?.verifyError === undefined) return undefined;
    const certificate = tls.getPeerX509Certificate();
    return certificate && { certificate, fault: handle.verifyError()?.code };
  }

  channelBinding(tls: TLSSocket, type: ChannelBindingType): Buffer | undefined {
    if (type === 'tls-server-end-point') return this.#shown.get(tls)?.endPoint;
    let bindings = this.#bindings.get(tls);
    if (bindings === undefined) {
      bindings = bindingsOf(tls);
      this.#bindings.set(tls, bindings);
    }
    return type === 'tls-exporter' ? bindings.exporter : bindings.unique;
  }
}

interface Bindings {
  readonly exporter?: Buffer | undefined;
  readonly unique?: Buffer | undefined;
}

function bindingsOf(tls: TLSSocket): Bindings {
  const isNewest = tls.getProtocol() === 'TLSv1.3';
  // RFC 9266 §2, RFC 7627 §1: before TLS 1.3 nothing binds without it
  if (!isNewest && !hasExtendedMasterSecret(tls)) return {};
  const exporter = tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  if (isNewest) return { exporter };
  // RFC 5929 §3.1: the first Finished, which is the server's where a session is resumed (RFC 5246 §7.3)
  return { exporter, unique: tls.isSessionReused() ? tls.getFinished() : tls.getPeerFinished() };
}

/** RFC 5929 §4.1: the certificate hashed with its signature's hash, SHA-256 in place of MD5 and SHA-1. */
function endPointHash(certificate: X509Certificate): Buffer {
  const algorithm = certificate.signatureAlgorithm ?? '';
  const hash = /sha-?512/i.test(algorithm) ? 'sha512' : /sha-?384/i.test(algorithm) ? 'sha384' : 'sha256';
  return createHash(hash).update(certificate.raw).digest();
}
