import { createHash, type X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { isPublicAddress } from '../net/public-address.ts';
import { WebDocumentError, type WebDocumentOptions, webDocument } from '../net/web-document.ts';
import type { PeerPolicy } from './policy.ts';
import { type PoshDocument, PoshDocumentError, poshDocument } from './posh-document.ts';
import type { Tell } from './story.ts';

export interface PoshOptions {
  readonly timeoutMs: () => number;
  /** The addresses of a host. Throws where DNS does not say. */
  readonly addresses: (host: string) => Promise<readonly string[]>;
  /** Who may vouch for web servers of a domain, by the file with those who vouch for it. */
  readonly trust: (authorities: string | undefined) => SecureContext;
  readonly now?: () => number;
  readonly fetch?: (options: WebDocumentOptions) => Promise<string>;
}

/** The file does not help. The message says why, as a sentence without its end. */
export class PoshFailure extends Error {
  override readonly name = 'PoshFailure';
}

const MOST_BYTES = 65_536;
/** Of the addresses of a web server, so many are tried. */
const MOST_ADDRESSES = 2;
const LONGEST_KEPT_MS = 86_400_000;
/** A failure is believed for so long, and nobody is asked more often than that for certificates that were not in its file. */
const AGAIN_MS = 60_000;
const MOST_KEPT = 1000;

interface Kept {
  readonly found: readonly Buffer[] | PoshFailure;
  readonly at: number;
  readonly until: number;
}

type Place = NonNullable<PeerPolicy['posh']>;

/** Which certificates domains name on their web servers (POSH, RFC 7711). */
export class Posh {
  readonly #options: Required<PoshOptions>;
  readonly #kept = new Map<string, Kept>();
  readonly #asking = new Map<string, Promise<Kept>>();

  constructor(options: PoshOptions) {
    this.#options = { now: () => performance.now(), fetch: webDocument, ...options };
  }

  /** Whether the file of a domain names a certificate. Throws a PoshFailure where there is no such file that may be believed. */
  async names(certificate: X509Certificate, policy: PeerPolicy, tell: Tell): Promise<boolean> {
    const { posh: place } = policy;
    if (place === undefined) return false;
    const key = `${place.url} ${policy.authorities ?? ''}`;
    const kept = await this.#known(key, place, policy.authorities, tell);
    if (includes(kept, certificate)) return true;
    // the certificate may have become another since
    if (this.#options.now() - kept.at < AGAIN_MS) return this.#no(kept);
    this.#kept.delete(key);
    const anew = await this.#known(key, place, policy.authorities, tell);
    return includes(anew, certificate) || this.#no(anew);
  }

  /** Asks about everybody anew. */
  clear(): void {
    this.#kept.clear();
  }

  /** Asks anew the next time. */
  forget({ posh, authorities }: PeerPolicy): void {
    if (posh !== undefined) this.#kept.delete(`${posh.url} ${authorities ?? ''}`);
  }

  #no({ found }: Kept): false {
    if (found instanceof PoshFailure) throw found;
    return false;
  }

  async #known(key: string, place: Place, authorities: string | undefined, tell: Tell): Promise<Kept> {
    const { now } = this.#options;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > now()) {
      tell(`POSH: ${place.url} is known from a while ago`);
      return kept;
    }
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(place, authorities, tell).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const answer = await asking;
    this.#kept.delete(key);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '');
    this.#kept.set(key, answer);
    return answer;
  }

  async #ask(place: Place, authorities: string | undefined, tell: Tell): Promise<Kept> {
    const { now, timeoutMs } = this.#options;
    const at = now();
    try {
      const signal = AbortSignal.timeout(timeoutMs());
      let document = await this.#document(new URL(place.url), place.named, authorities, signal, tell);
      let { seconds } = document;
      if (document.kind === 'reference') {
        const { url } = document;
        tell(`POSH: it leads to ${url.href}`);
        document = await this.#document(url, false, authorities, signal, tell);
        seconds = Math.min(seconds, document.seconds);
      }
      // RFC 7711 §3.2: one step, so that nobody goes in circles
      if (document.kind === 'reference') throw new PoshDocumentError('it leads on to a third address');
      tell(`POSH: ${document.sha256.length} fingerprints, for ${seconds} s`);
      return { found: document.sha256, at, until: at + Math.min(seconds * 1000, LONGEST_KEPT_MS) };
    } catch (error) {
      if (!(error instanceof PoshDocumentError || error instanceof WebDocumentError)) throw error;
      tell(`POSH: it does not help: ${error.message}`);
      const found = new PoshFailure(`its POSH file does not help: ${error.message}`, { cause: error });
      return { found, at, until: at + AGAIN_MS };
    }
  }

  /** `named`: the operator has named the address; on a stranger's word nothing is asked but web servers of the public internet. */
  async #document(
    url: URL,
    named: boolean,
    authorities: string | undefined,
    signal: AbortSignal,
    tell: Tell,
  ): Promise<PoshDocument> {
    if (!named && (url.port !== '' || /^[0-9.]+$|^\[/.test(url.hostname))) {
      throw new PoshDocumentError('it would be at a port of its own, or at a mere address');
    }
    const { fetch, trust } = this.#options;
    const places = (await this.#addresses(url.hostname, signal)).filter((each) => named || isPublicAddress(each));
    if (places.length === 0) throw new PoshDocumentError(`${url.hostname} has no address of the public internet`);
    let failure: unknown;
    for (const address of places.slice(0, MOST_ADDRESSES)) {
      try {
        tell(`POSH: asking ${address} for ${url.href}`);
        const options = { url, address, trust: trust(authorities), maxBytes: MOST_BYTES, signal };
        return poshDocument(await fetch(options));
      } catch (error) {
        failure = error;
        if (signal.aborted) break;
      }
    }
    throw failure;
  }

  async #addresses(host: string, signal: AbortSignal): Promise<readonly string[]> {
    if (/^[0-9.]+$|^\[/.test(host)) return [host.replace(/^\[|\]$/g, '')];
    if (signal.aborted) throw new WebDocumentError('it did not come in time');
    const { promise: late, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(new WebDocumentError('it did not come in time'));
    signal.addEventListener('abort', onAbort);
    try {
      return await Promise.race([this.#options.addresses(host), late]);
    } catch (error) {
      if (error instanceof WebDocumentError) throw error;
      throw new WebDocumentError(`DNS knows no address of ${host}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

const includes = ({ found }: Kept, certificate: X509Certificate): boolean => {
  if (found instanceof PoshFailure) return false;
  const own = createHash('sha256').update(certificate.raw).digest();
  return found.some((each) => each.equals(own));
};
