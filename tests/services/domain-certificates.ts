import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files (PEM) of a certificate, with those between it and its root, and of its key. */
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
  /** The name of its files. */
  readonly #name: string;
  /** The files of the authorities between it and the root, itself first. */
  readonly #between: readonly string[];

  private constructor(folder: string, name: string, between: readonly string[]) {
    this.#folder = folder;
    this.#name = name;
    this.#between = between;
  }

  /** A root. */
  static make(folder: string, name = 'authority'): DomainCertificates {
    mkdirSync(folder, { recursive: true });
    const made = new DomainCertificates(folder, name, []);
    made.#openssl(
      ['req', '-x509', ...NEW_KEY, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-days', '30'],
      ['-subj', `/CN=Tests: ${name}`, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    return made;
  }

  /** The file of those who vouch for all that is not signed by itself. */
  get authority(): string {
    return join(this.#folder, `${this.#name}.crt`);
  }

  /** An authority below this one; `constraints` are its basic ones. */
  below(name: string, constraints = 'critical,CA:TRUE', subject = `Tests: ${name}`): DomainCertificates {
    this.#sign(name, subject, `basicConstraints=${constraints}\nkeyUsage=critical,keyCertSign\n`);
    return new DomainCertificates(this.#folder, name, [`${name}.crt`, ...this.#between]);
  }

  /** A certificate of this domain, and of others beside. */
  of(domain: string, ...others: readonly string[]): CertificatePair {
    return this.#issue(domain, [domain, ...others], 'serverAuth');
  }

  /** One as public authorities gave it until 2026: for clients as well. */
  forClients(domain: string): CertificatePair {
    return this.#issue(`${domain}.both`, [domain], 'serverAuth,clientAuth');
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

  #issue(name: string, domains: readonly string[], purposes: string): CertificatePair {
    const own = `${this.#name}.${name}`;
    const names = domains.map((domain) => `DNS:${domain}`).join(',');
    this.#sign(
      own,
      'server',
      `subjectAltName=${names}\nextendedKeyUsage=${purposes}\nbasicConstraints=critical,CA:FALSE\n`,
    );
    const chain = [`${own}.crt`, ...this.#between].map((file) => readFileSync(join(this.#folder, file), 'utf8'));
    writeFileSync(join(this.#folder, `${own}.crt`), chain.join(''));
    return this.#pair(own);
  }

  #sign(name: string, subject: string, extensions: string): void {
    writeFileSync(join(this.#folder, `${name}.ext`), extensions);
    const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`];
    this.#openssl(['req', '-new', ...NEW_KEY, ...files, '-subj', `/CN=${subject}`]);
    const authority = ['-CA', `${this.#name}.crt`, '-CAkey', `${this.#name}.key`, '-CAcreateserial'];
    const made = ['-out', `${name}.crt`, '-extfile', `${name}.ext`, '-days', '20'];
    this.#openssl(['x509', '-req', '-in', `${name}.csr`, ...authority, ...made]);
  }

  #pair(name: string): CertificatePair {
    return { certificate: join(this.#folder, `${name}.crt`), key: join(this.#folder, `${name}.key`) };
  }

  #openssl(...words: readonly string[][]): void {
    execFileSync('openssl', words.flat(), { cwd: this.#folder, stdio: 'pipe' });
  }
}
