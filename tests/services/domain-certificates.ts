import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files (PEM) of a certificate and its key. */
export interface CertificatePair {
  readonly certificate: string;
  readonly key: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/**
 * An authority of the tests and certificates of servers, made with openssl. As those that public authorities give today
 * they are for servers alone, and not for clients, which is what a server is when it connects to another one.
 */
export class DomainCertificates {
  readonly #folder: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#openssl(
      ['req', '-x509', ...NEW_KEY, '-keyout', 'authority.key', '-out', 'authority.crt', '-days', '30'],
      ['-subj', '/CN=An authority of the tests', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
  }

  /** The file of those who vouch for all that is not signed by itself. */
  get authority(): string {
    return join(this.#folder, 'authority.crt');
  }

  /** A certificate of this domain. */
  of(domain: string): CertificatePair {
    return this.#issue(domain, domain, 'serverAuth');
  }

  /** One as public authorities gave it until 2026: for clients as well. */
  forClients(domain: string): CertificatePair {
    return this.#issue(`${domain}.both`, domain, 'serverAuth,clientAuth');
  }

  #issue(name: string, domain: string, purposes: string): CertificatePair {
    writeFileSync(
      join(this.#folder, `${name}.ext`),
      `subjectAltName=DNS:${domain}\nextendedKeyUsage=${purposes}\nbasicConstraints=critical,CA:FALSE\n`,
    );
    this.#openssl(['req', '-new', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=server']);
    this.#openssl(
      ['x509', '-req', '-in', `${name}.csr`, '-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'],
      ['-out', `${name}.crt`, '-extfile', `${name}.ext`, '-days', '20'],
    );
    return this.#pair(name);
  }

  /** One that nobody vouches for. */
  selfSigned(domain: string): CertificatePair {
    const name = `${domain}.own`;
    this.#openssl(
      ['req', '-x509', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '20'],
      ['-subj', `/CN=${domain}`, '-addext', `subjectAltName=DNS:${domain}`],
    );
    return this.#pair(name);
  }

  #pair(name: string): CertificatePair {
    return { certificate: join(this.#folder, `${name}.crt`), key: join(this.#folder, `${name}.key`) };
  }

  #openssl(...words: readonly string[][]): void {
    execFileSync('openssl', words.flat(), { cwd: this.#folder, stdio: 'pipe' });
  }
}
