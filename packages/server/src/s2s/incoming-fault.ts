import type { PeerCertificate } from '../net/transport.ts';
import type { Authorities } from './authorities.ts';
import { isGoodPath, pathTo } from './certificate-path.ts';
import type { PeerPolicy } from './policy.ts';

/**
 * Why nobody who may vouch for a domain vouches for what somebody has shown who connected, in OpenSSL's words; undefined where
 * one does. OpenSSL has looked at it before it was known for which domain.
 */
export async function incomingFault(
  { certificate, fault }: PeerCertificate,
  authorities: Authorities,
  { authorities: file, revocations }: PeerPolicy,
): Promise<string | undefined> {
  const lists = authorities.lists(revocations);
  if (fault === undefined && authorities.sameForAll && lists === undefined) return undefined;
  if (fault !== undefined && fault !== 'INVALID_PURPOSE') return fault;
  const path = pathTo(authorities.roots(file), certificate);
  if (path === undefined) return 'SELF_SIGNED_CERT_IN_CHAIN';
  // OpenSSL may have found another way, to an authority that vouches for others
  if (!(await isGoodPath(path, Date.now()))) return 'INVALID_PURPOSE';
  return await lists?.faultOf(path, Date.now());
}
