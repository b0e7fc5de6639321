import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { ConfigurationError, type Problem } from '../config/problem.ts';

export interface CertificateFiles {
  /** PEM: the certificate and its chain. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

export interface SecureSettings {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
  /** Client certificates are asked for, and taken where one of these authorities (PEM) vouches for them. */
  readonly clientAuthorities?: string | readonly string[] | undefined;
  /** What those authorities have revoked: lists (PEM). Where there are any, each authority needs a valid one. */
  readonly clientRevocations?: readonly string[] | undefined;
}

/** What a server's side of TLS begins with. Throws a ConfigurationError where TLS cannot be had like this. */
export function secureContext(settings: SecureSettings, own?: CertificateFiles): SecureContext {
  try {
    return createSecureContext({
      ...(own && { cert: own.certificate, key: own.key }),
      minVersion: settings.minVersion,
      ciphers: settings.ciphers,
      honorCipherOrder: true,
      // RFC 7590 §3.3: no renegotiation; disableRenegotiation() has no effect on a socket without a tls.Server
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
      ca: settings.clientAuthorities as string | string[] | undefined,
      ...(settings.clientRevocations && { crl: [...settings.clientRevocations] }),
    });
  } catch (error) {
    const problem = `cannot be used (${(error as Error).message})`;
    const cure = 'correct `ciphers`, or what the files hold';
    throw new ConfigurationError([{ path: 'tls', problem, cure }]);
  }
}

/** What is wrong with a certificate and its key, if anything. */
export function pairProblem({ certificate, key }: CertificateFiles): Omit<Problem, 'path'> | undefined {
  const leaf = attempt(() => new X509Certificate(certificate));
  if (leaf === undefined) return { problem: 'has a `certificate` that is none', cure: 'name a certificate (PEM)' };
  const own = attempt(() => createPrivateKey(key));
  if (own === undefined) return { problem: 'has a `key` that is none', cure: 'name a private key (PEM, no password)' };
  if (leaf.checkPrivateKey(own)) return undefined;
  return { problem: 'has a `key` that does not belong to its `certificate`', cure: 'name two that belong together' };
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined; // it is none, whatever the reason
  }
}
