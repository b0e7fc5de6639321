import type { X509Certificate } from 'node:crypto';
import { pathTo, permitsAll } from './certificate-path.ts';
import { type CertificateName, certificateNames } from './certificate-verdict.ts';
import { mayBeConstrained } from './name-constraints.ts';

/**
 * The names of a certificate that those who vouch for it may give it. OpenSSL holds authorities to their name constraints where
 * it knows the kind of a name: not those of services and XMPP addresses, nor what a `*` stands for. So these count only where no
 * authority on the way has constraints, and where the way is known.
 */
export async function vouchedNames(
  certificate: X509Certificate,
  roots: () => readonly X509Certificate[],
): Promise<readonly CertificateName[]> {
  const names = await certificateNames(certificate.raw);
  if (names.every(isPlain)) return names;
  const path = pathTo(roots(), certificate);
  if (path === undefined) return names.filter(isPlain);
  if (!path.slice(1).some(({ raw }) => mayBeConstrained(raw))) return names;
  return (await permitsAll(path, true)) ? names.filter(({ kind }) => kind === 'dns') : [];
}

const isPlain = ({ kind, text }: CertificateName): boolean => kind === 'dns' && !text.startsWith('*');
