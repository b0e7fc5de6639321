import { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { trustIn } from '../net/dial.ts';
import { machineAuthorities } from '../net/machine-authorities.ts';
import { RevocationLists } from './revocation-lists.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Who vouches for other servers: by the name of the file (PEM) that says so, or those that the machine trusts. */
export class Authorities {
  /** File names to what is in them. */
  readonly #files: ReadonlyMap<string, string>;
  readonly #roots = new Map<string | undefined, readonly X509Certificate[]>();
  readonly #trust = new Map<string | undefined, SecureContext>();
  /** File names to the lists (PEM) in them. */
  readonly #revoked: ReadonlyMap<string, readonly string[]>;
  readonly #lists = new Map<string, RevocationLists>();
  /** Whether all that anybody is trusted by is the same for everybody. */
  readonly sameForAll: boolean;
  readonly #usual: string | undefined;

  /** `usual`: the file for domains that have none of their own. */
  constructor(
    files: ReadonlyMap<string, string>,
    usual: string | undefined,
    revoked: ReadonlyMap<string, readonly string[]> = new Map(),
  ) {
    this.#files = files;
    this.#revoked = revoked;
    this.sameForAll = [...files.keys()].every((name) => name === usual);
    this.#usual = usual;
  }

  /** Those of every domain together (PEM). Made when asked for: what a machine trusts takes a while to read. */
  get all(): readonly string[] {
    return [...new Set([this.#usual, ...this.#files.keys()].flatMap((name) => this.pem(name)))];
  }

  /** Certificates, each for itself. */
  pem(file: string | undefined): readonly string[] {
    return file === undefined ? machineAuthorities() : (this.#files.get(file)?.match(CERTIFICATE) ?? []);
  }

  roots(file: string | undefined): readonly X509Certificate[] {
    let roots = this.#roots.get(file);
    if (roots === undefined) {
      roots = this.pem(file).map((pem) => new X509Certificate(pem));
      this.#roots.set(file, roots);
    }
    return roots;
  }

  /** Revocation lists (PEM), each for itself. */
  revoked(file: string | undefined): readonly string[] {
    return file === undefined ? [] : (this.#revoked.get(file) ?? []);
  }

  /** The same to be looked at; undefined where no file is named. */
  lists(file: string | undefined): RevocationLists | undefined {
    if (file === undefined) return undefined;
    let lists = this.#lists.get(file);
    if (lists === undefined) {
      lists = new RevocationLists(this.revoked(file));
      this.#lists.set(file, lists);
    }
    return lists;
  }

  /** For connections to servers that are not of XMPP. */
  trust(file: string | undefined): SecureContext {
    let trust = this.#trust.get(file);
    if (trust === undefined) {
      trust = trustIn(file === undefined ? undefined : this.#files.get(file));
      this.#trust.set(file, trust);
    }
    return trust;
  }
}
