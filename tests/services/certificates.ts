import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is right or wrong with the certificate that a server shows. */
export const CERTIFICATES = ['good', 'expired', 'wrong-host', 'unknown-authority'] as const;
export type CertificateKind = (typeof CERTIFICATES)[number];

export interface ServerCertificates {
  /** The certificate (PEM, a file) of the authority that vouches for all but one. */
  readonly authority: string;
  certificate(kind: CertificateKind): string;
  key(kind: CertificateKind): string;
}

const extensions = (kind: CertificateKind) =>
  kind === 'wrong-host'
    ? 'subjectAltName=DNS:elsewhere.example'
    : 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1';

const configuration = (folder: string, name: string) => `[ca]
default_ca = own
[own]
database = ${folder}/${name}.index
new_certs_dir = ${folder}
certificate = ${folder}/${name}.crt
private_key = ${folder}/${name}.key
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** Makes, with openssl, an authority and the certificates of a server on this machine: one that is right, and others. */
export function makeCertificates(folder: string): ServerCertificates {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  for (const name of ['authority', 'stranger']) {
    writeFileSync(file(`${name}.cnf`), configuration(folder, name));
    writeFileSync(file(`${name}.index`), '');
    const subject = ['-subj', `/CN=Tests: ${name}`];
    openssl('req', '-x509', ...newKey, '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), ...subject);
  }
  openssl('req', '-new', ...newKey, '-keyout', file('server.key'), '-out', file('server.csr'), '-subj', '/CN=server');
  for (const kind of CERTIFICATES) {
    writeFileSync(file(`${kind}.ext`), `${extensions(kind)}\n`);
    const authority = kind === 'unknown-authority' ? 'stranger' : 'authority';
    const dates = kind === 'expired' ? ['20200101000000Z', '20200201000000Z'] : ['20200101000000Z', '20491231000000Z'];
    const valid = ['-startdate', dates[0] ?? '', '-enddate', dates[1] ?? ''];
    const files = ['-extfile', file(`${kind}.ext`), '-in', file('server.csr'), '-out', file(`${kind}.crt`)];
    openssl('ca', '-batch', '-notext', '-config', file(`${authority}.cnf`), ...valid, ...files);
  }
  return {
    authority: file('authority.crt'),
    certificate: (kind) => file(`${kind}.crt`),
    key: () => file('server.key'),
  };
}
