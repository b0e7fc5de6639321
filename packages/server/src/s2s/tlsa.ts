import { createHash, X509Certificate } from 'node:crypto';
import { isGoodPath, pathTo, shownAbove } from './certificate-path.ts';
import { type CertificateName, certificateNames, standsFor } from './certificate-verdict.ts';

/** What DNS says of the certificate at a port (RFC 6698 §2.1). */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Buffer;
}

/** RFC 7218 */
const PKIX_TA = 0;
const PKIX_EE = 1;
const DANE_TA = 2;
const DANE_EE = 3;
const CERTIFICATE = 0;
const PUBLIC_KEY = 1;
const FULL = 0;

const HASHES = new Map([
  [1, { name: 'sha256', length: 32 }],
  [2, { name: 'sha512', length: 64 }],
]);

/** Whether a record says something that we understand (RFC 6698 §4.1, RFC 7671 §10.3); others count as if they were not there. */
export function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if (usage > DANE_EE || selector > PUBLIC_KEY) return false;
  if (matching !== FULL) return data.length === HASHES.get(matching)?.length;
  return data.length > 0 && (selector === PUBLIC_KEY || certificateOf(data) !== undefined);
}

/** What a server has shown, and what is known of it. */
export interface TlsaSubject {
  readonly certificate: X509Certificate;
  /** Why none of the usual authorities vouches for it; undefined where one does. */
  readonly fault: string | undefined;
  /** The domain that it says it speaks for, and names of hosts that stand for it in secure DNS. */
  readonly domain: string;
  readonly hosts: readonly string[];
  /** The usual authorities. */
  readonly roots: () => readonly X509Certificate[];
}

/** The record that names what was shown; undefined where none does. */
export async function matchingRecord(
  records: readonly TlsaRecord[],
  subject: TlsaSubject,
): Promise<TlsaRecord | undefined> {
  const names = await certificateNames(subject.certificate.raw);
  const shown = shownAbove(subject.certificate); // once: what was found out about these is remembered
  for (const record of records) if (await holds(record, subject, names, shown)) return record;
  return undefined;
}

async function holds(
  record: TlsaRecord,
  subject: TlsaSubject,
  names: readonly CertificateName[],
  shown: readonly X509Certificate[],
): Promise<boolean> {
  const { certificate, fault, roots } = subject;
  switch (record.usage) {
    case DANE_EE: // neither names nor dates count: DNS says both (RFC 7671 §5.1)
      return matches(record, certificate);
    case DANE_TA:
      return standsForEither(names, subject) && (await isBelow(record, certificate, shown));
    case PKIX_EE:
      return fault === undefined && standsForEither(names, subject) && matches(record, certificate);
    case PKIX_TA: {
      if (fault !== undefined || !standsForEither(names, subject)) return false;
      return (
        pathTo(roots(), certificate, shown)
          ?.slice(1)
          .some((each) => matches(record, each)) ?? false
      );
    }
    default:
      return false;
  }
}

/** RFC 7673 §4.2: where DNS leads to a host securely, the name of the host is as good as that of the domain. */
const standsForEither = (names: readonly CertificateName[], { domain, hosts }: TlsaSubject): boolean =>
  standsFor(names, domain) ||
  hosts.some((host) =>
    standsFor(
      names.filter(({ kind }) => kind === 'dns'),
      host,
    ),
  );

/** Whether the authority that a record names has vouched for a certificate, directly or by others that were shown with it. */
async function isBelow(
  record: TlsaRecord,
  certificate: X509Certificate,
  shown: readonly X509Certificate[],
): Promise<boolean> {
  const whole = record.selector === CERTIFICATE && record.matching === FULL ? certificateOf(record.data) : undefined;
  const anchors = whole === undefined ? shown.filter((each) => matches(record, each)) : [whole];
  for (const anchor of anchors) {
    const path = pathTo([anchor], certificate, shown);
    if (path !== undefined && path.length > 1 && (await isGoodPath(path, Date.now()))) return true;
  }
  return false;
}

function matches({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  // as OpenSSL reads it: nobody else's reading of the same bytes is to decide
  const key = () => certificate.publicKey.export({ type: 'spki', format: 'der' });
  const selected = selector === PUBLIC_KEY ? key() : certificate.raw;
  if (matching === FULL) return selected.equals(data);
  const hash = HASHES.get(matching);
  return hash !== undefined && createHash(hash.name).update(selected).digest().equals(data);
}

function certificateOf(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined; // it is none
  }
}

/** For people, as zone files have it. */
export const tlsaWords = ({ usage, selector, matching }: TlsaRecord): string => `TLSA ${usage} ${selector} ${matching}`;
