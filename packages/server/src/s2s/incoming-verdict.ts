import type { PeerCertificate } from '../net/transport.ts';
import type { Authorities } from './authorities.ts';
import { isGoodPath, pathTo } from './certificate-path.ts';
import { type CertificateVerdict, certificateVerdict } from './certificate-verdict.ts';

/**
 * Whether a certificate that was shown by somebody who connected proves that they speak for a domain. `file`: who may
 * vouch for that domain.
 */
export async function incomingVerdict(
  shown: PeerCertificate | undefined,
  domain: string,
  authorities: Authorities,
  file: string | undefined,
): Promise<CertificateVerdict> {
  if (shown === undefined) return certificateVerdict(undefined, undefined, domain);
  return certificateVerdict(shown.certificate.raw, await faultFor(shown, authorities, file), domain);
}

/** Why nobody who may vouch for the domain does; undefined where one does. */
async function faultFor(
  { certificate, fault }: PeerCertificate,
  authorities: Authorities,
  file: string | undefined,
): Promise<string | undefined> {
  if (fault === undefined && authorities.sameForAll) return undefined;
  if (fault !== undefined && fault !== 'INVALID_PURPOSE') return fault;
  const path = pathTo(authorities.roots(file), certificate);
  if (path === undefined) return 'SELF_SIGNED_CERT_IN_CHAIN';
  // OpenSSL may have found another way, to an authority that vouches for others
  return (await isGoodPath(path, Date.now())) ? undefined : 'INVALID_PURPOSE';
}
