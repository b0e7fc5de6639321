import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Configuration } from './config/schema.ts';
import { selfSignedFiles } from './net/self-signed.ts';
import type { CertificateFiles, TlsSettings } from './net/tls.ts';

export interface Certificates {
  /** PEM by domain; under '' what serves all others. */
  readonly files: ReadonlyMap<string, CertificateFiles>;
  /** The file of the self-signed certificate that serves where none was given. */
  readonly selfSigned: string | undefined;
}

/** Reads the certificates that the configuration names, or makes one. Throws in words where a file cannot be read. */
export async function loadCertificates(config: Configuration): Promise<Certificates> {
  const files = new Map<string, CertificateFiles>();
  for (const { name, certificate, key } of config.domains) {
    if (certificate !== undefined && key !== undefined) files.set(name.toLowerCase(), read(certificate, key));
  }
  let selfSigned: string | undefined;
  if (config.tls.certificate !== undefined && config.tls.key !== undefined) {
    files.set('', read(config.tls.certificate, config.tls.key));
  } else if (files.size < config.domains.length) {
    const made = await selfSignedFiles(
      dataDirectory(config),
      config.domains.map(({ name }) => name),
    );
    files.set('', read(made.certificate, made.key));
    selfSigned = made.certificate;
  }
  return { files, selfSigned };
}

function read(certificate: string, key: string): CertificateFiles {
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** Where a node keeps what is its own: with the embedded keyspace, else beside its socket. */
export function dataDirectory(config: Configuration): string {
  return embeddedFolder(config) ?? dirname(config.admin.socket);
}

/** The folder of the embedded keyspace, if that is what there is. */
export function embeddedFolder(config: Configuration): string | undefined {
  return /^embedded:(?!:memory:)(.+)$/s.exec(config.keyspace.url)?.[1];
}

export function tlsSettings(config: Configuration): TlsSettings {
  const { clientAuthorities } = config.tls;
  return {
    minVersion: config.tls.minVersion,
    ciphers: config.tls.ciphers,
    handshakeTimeoutMs: config.stream.handshakeTimeoutSeconds * 1000,
    clientAuthorities: clientAuthorities === undefined ? undefined : readFileSync(clientAuthorities, 'utf8'),
  };
}
