import { X509Certificate } from 'node:crypto';
import { machineAuthorities } from '../net/machine-authorities.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Who vouches for other servers: by the name of the file (PEM) that says so, or those that the machine trusts. */
export class Authorities {
  /** File names to what is in them. */
  readonly #files: ReadonlyMap<string, string>;
  readonly #roots = new Map<string | undefined, readonly X509Certificate[]>();
  /** Whether all that anybody is trusted by is the same for everybody. */
  readonly sameForAll: boolean;
  readonly #usual: string | undefined;

  /** `usual`: the file for domains that have none of their own. */
  constructor(files: ReadonlyMap<string, string>, usual: string | undefined) {
    this.#files = files;
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
}
