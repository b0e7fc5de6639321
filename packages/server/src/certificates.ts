import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Metrics } from '@parley/metrics/registry';
import { ConfigurationError, type Problem } from './config/problem.ts';
import type { Configuration } from './config/schema.ts';
import { type CertificateFiles, pairProblem, secureContext } from './net/secure-context.ts';
import { selfSignedFiles } from './net/self-signed.ts';
import type { TlsAcceptor, TlsSettings } from './net/tls.ts';

export interface Certificates {
  /** PEM by domain; under '' what serves all others. */
  readonly files: ReadonlyMap<string, CertificateFiles>;
  /** The file of the self-signed certificate that serves where none was given. */
  readonly selfSigned: string | undefined;
}

/** Reads the certificates that the configuration names, or makes one. Throws a ConfigurationError with all that is wrong. */
export async function loadCertificates(config: Configuration): Promise<Certificates> {
  const files = namedCertificates(config);
  if (files.has('') || files.size === config.domains.length) return { files, selfSigned: undefined };
  const made = await selfSignedFiles(
    dataDirectory(config),
    config.domains.map(({ name }) => name),
  );
  return { files: new Map([...files, ['', made.text]]), selfSigned: made.certificate };
}

export interface PeerAuthorities {
  /** Files with certificates to what is in them (PEM). */
  readonly files: ReadonlyMap<string, string>;
  /** Files with revocation lists to these (PEM). */
  readonly revoked: ReadonlyMap<string, readonly string[]>;
}

/** The files with those who vouch for other servers, and with what they have revoked. Throws a ConfigurationError where one is no good. */
export function peerAuthorities(federation: Configuration['federation'] | undefined): PeerAuthorities {
  const problems: Problem[] = [];
  const files = new Map<string, string>();
  const revoked = new Map<string, readonly string[]>();
  const named = federation?.peers.map((peer) => ({ path: `federation.peers[${peer.domain}]`, ...peer })) ?? [];
  for (const { path, authorities, revocations } of [{ path: 'federation', ...federation }, ...named]) {
    if (authorities !== undefined && !files.has(authorities)) {
      files.set(authorities, readPem(`${path}.authorities`, authorities, problems));
    }
    if (revocations !== undefined && !revoked.has(revocations)) {
      revoked.set(revocations, readRevocations(`${path}.revocations`, revocations, problems));
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { files, revoked };
}

/** All files with certificates, keys and revocation lists that are to be read again when they change. */
export function certificateFiles({ tls, domains, federation }: Configuration): readonly string[] {
  const own = [tls, ...domains].flatMap(({ certificate, key }) => [certificate, key]);
  const others = [federation, ...federation.peers].flatMap(({ authorities, revocations }) => [
    authorities,
    revocations,
  ]);
  return [...own, tls.clientAuthorities, tls.clientRevocations, ...others].filter((file) => file !== undefined);
}

/** Throws a ConfigurationError where the certificates, or how they shall be used, are no good. */
export function checkCertificates(config: Configuration): void {
  const files = namedCertificates(config);
  const settings = tlsSettings(config);
  if (config.federation.enabled) peerAuthorities(config.federation);
  for (const pair of [undefined, ...files.values()]) secureContext(settings, pair);
}

function namedCertificates({ tls, domains }: Configuration): Map<string, CertificateFiles> {
  const problems: Problem[] = [];
  const files = new Map<string, CertificateFiles>();
  for (const { name, certificate, key } of domains) {
    if (certificate === undefined || key === undefined) continue;
    files.set(name.toLowerCase(), readPair(`domains[${name}]`, certificate, key, problems));
  }
  if (tls.certificate !== undefined && tls.key !== undefined) {
    files.set('', readPair('tls', tls.certificate, tls.key, problems));
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return files;
}

/** What is wrong goes into `problems`. */
function readPair(path: string, certificate: string, key: string, problems: Problem[]): CertificateFiles {
  const pair = {
    certificate: readPem(`${path}.certificate`, certificate, problems),
    key: readPem(`${path}.key`, key, problems),
  };
  const problem = pair.certificate === '' || pair.key === '' ? undefined : pairProblem(pair);
  if (problem !== undefined) problems.push({ path, ...problem });
  return pair;
}

function readPem(path: string, file: string, problems: Problem[]): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
    problems.push({ path, problem: `names ${file}, which holds nothing in PEM`, cure: 'name a PEM file' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    problems.push({ path, problem: `names ${file}, which cannot be read (${code})`, cure: 'name a file that can' });
  }
  return '';
}

/** Where a node keeps what is its own: with the embedded keyspace, else beside its socket. */
export function dataDirectory(config: Configuration): string {
  return embeddedFolder(config) ?? dirname(config.admin.socket);
}

/** The folder of the embedded keyspace, if that is what there is. */
export function embeddedFolder(config: Configuration): string | undefined {
  return /^embedded:(?!:memory:)(.+)$/s.exec(config.keyspace.url)?.[1];
}

/** Throws a ConfigurationError where a file cannot be read. */
export function tlsSettings(config: Configuration): TlsSettings {
  const { clientAuthorities: authorities, clientRevocations: revocations } = config.tls;
  const problems: Problem[] = [];
  const clientAuthorities =
    authorities === undefined ? undefined : readPem('tls.clientAuthorities', authorities, problems);
  const clientRevocations =
    revocations === undefined ? undefined : readRevocations('tls.clientRevocations', revocations, problems);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return {
    minVersion: config.tls.minVersion,
    ciphers: config.tls.ciphers,
    handshakeTimeoutMs: config.stream.handshakeTimeoutSeconds * 1000,
    clientAuthorities,
    clientRevocations,
  };
}

function readRevocations(path: string, file: string, problems: Problem[]): string[] {
  const text = readPem(path, file, problems);
  const lists = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
  if (text !== '' && lists.length === 0) {
    problems.push({
      path,
      problem: `names ${file}, which holds no revocation list`,
      cure: 'name a PEM file with some',
    });
  }
  return lists;
}

/** Has the metrics tell how long the certificate of each domain is good. */
export function measureCertificates(metrics: Metrics, domains: readonly string[], acceptor: TlsAcceptor): void {
  for (const domain of domains) {
    const remaining = metrics.certificateDays.with({ domain });
    remaining.observe(() => (acceptor.expiresAt(domain) - Date.now()) / 86_400_000);
  }
}
