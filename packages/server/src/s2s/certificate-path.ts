import type { X509Certificate } from 'node:crypto';
import { NAME_CONSTRAINTS, permits } from './name-constraints.ts';

const MOST_LINKS = 8;
/** More than this are not looked at. */
const MOST_SHOWN = 10;

/** RFC 5280 §4.2.1.12 */
const SERVER_PURPOSE = '1.3.6.1.5.5.7.3.1';
const CLIENT_PURPOSE = '1.3.6.1.5.5.7.3.2';
const ANY_PURPOSE = '2.5.29.37.0';
const BASIC_CONSTRAINTS = '2.5.29.19';
/** What the extensions of an authority may say: where there is anything else that must be understood, it is not trusted. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  BASIC_CONSTRAINTS,
  NAME_CONSTRAINTS,
  '2.5.29.15',
  '2.5.29.37',
  '2.5.29.32',
]);
/** The same of the certificate itself, whose names others look at. */
const UNDERSTOOD_OF_ALL: ReadonlySet<string> = new Set([...UNDERSTOOD, '2.5.29.17']);

/** What nobody can rely on who signs, as OpenSSL has it from its first level of security on. */
const WEAK_SIGNATURE = /md[245]|sha-?1(?!\d)/i;
const LEAST_RSA_BITS = 2048;

/** The certificate, those between, and the root that it ends with, each signed by the next; undefined where there is no such way. */
export function pathTo(
  roots: readonly X509Certificate[],
  certificate: X509Certificate,
  shown: readonly X509Certificate[] = shownAbove(certificate),
): readonly X509Certificate[] | undefined {
  const path = [certificate];
  for (let at = certificate; path.length <= MOST_LINKS; ) {
    if (roots.some((root) => root.fingerprint256 === at.fingerprint256)) return path;
    const root = roots.find((each) => signs(each, at));
    if (root !== undefined) return [...path, root];
    // in any order: not everybody sends them in the right one
    const issuer = shown.find((each) => signs(each, at) && !path.includes(each));
    if (issuer === undefined) return undefined;
    path.push(issuer);
    at = issuer;
  }
  return undefined;
}

/** The certificates that were shown with one, by whoever showed it: they need not have anything to do with it. */
export function shownAbove(certificate: X509Certificate): X509Certificate[] {
  const shown: X509Certificate[] = [];
  for (let next = certificate.issuerCertificate; next !== undefined && shown.length < MOST_SHOWN; ) {
    shown.push(next);
    next = next.issuerCertificate;
  }
  return shown;
}

/** What was found out: whoever shows certificates could have the same signature looked at hundreds of times. */
const verified = new WeakMap<X509Certificate, WeakMap<X509Certificate, boolean>>();

function signs(issuer: X509Certificate, certificate: X509Certificate): boolean {
  let of = verified.get(certificate);
  if (of === undefined) {
    of = new WeakMap();
    verified.set(certificate, of);
  }
  let signed = of.get(issuer);
  if (signed === undefined) {
    signed = issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
    of.set(issuer, signed);
  }
  return signed;
}

/**
 * Whether a path is good for a server that connects to us. OpenSSL judges certificates of whoever connects as those of
 * clients, and refuses nearly all that servers have, which are for servers alone; and it may have judged another path. So this
 * looks at what OpenSSL left out: dates, lengths, purposes, signatures and keys that are too weak, and name constraints, and
 * refuses whatever it does not understand.
 */
export async function isGoodPath(path: readonly X509Certificate[], now: number): Promise<boolean> {
  const inTime = path.every(({ validFromDate, validToDate }) => +validFromDate <= now && now <= +validToDate);
  if (!inTime || !path.every(serves) || !path.every(hasStrongKey)) return false;
  if (path.slice(0, -1).some(({ signatureAlgorithm = '' }) => WEAK_SIGNATURE.test(signatureAlgorithm))) return false;
  const [certificate] = path;
  if (certificate === undefined || !(await isUnderstood(certificate.raw))) return false;
  for (const [index, { raw }] of path.entries()) {
    if (index > 0 && !(await mayVouch(raw, index - 1))) return false;
  }
  return await permitsAll(path);
}

/** Whether the constraints of all authorities on a path let the certificate have the names that it has, or those of domains. */
export async function permitsAll(
  [certificate, ...authorities]: readonly X509Certificate[],
  domainsAlone = false,
): Promise<boolean> {
  for (const { raw } of authorities) {
    if (certificate !== undefined && !(await permits(raw, certificate.raw, domainsAlone))) return false;
  }
  return true;
}

/** Node gives the purposes (extended key usage) under this name; none means all. */
const serves = ({ keyUsage }: X509Certificate): boolean =>
  keyUsage === undefined || [SERVER_PURPOSE, CLIENT_PURPOSE, ANY_PURPOSE].some((purpose) => keyUsage.includes(purpose));

function hasStrongKey({ publicKey: { asymmetricKeyType, asymmetricKeyDetails } }: X509Certificate): boolean {
  if (asymmetricKeyType === 'dsa') return false;
  return (asymmetricKeyDetails?.modulusLength ?? LEAST_RSA_BITS) >= LEAST_RSA_BITS;
}

/** Whether nothing in a certificate has to be understood that is not (RFC 5280 §4.2). */
async function isUnderstood(der: Uint8Array): Promise<boolean> {
  const { Certificate } = await import('pkijs');
  try {
    const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
    return extensions.every(({ extnID, critical }) => !critical || UNDERSTOOD_OF_ALL.has(extnID));
  } catch {
    return false; // it is none
  }
}

/** Whether an authority may have `below` other ones between itself and the certificate. */
async function mayVouch(der: Uint8Array, below: number): Promise<boolean> {
  const [asn1, { Certificate, BasicConstraints }] = await Promise.all([import('asn1js'), import('pkijs')]);
  try {
    const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
    if (extensions.some(({ extnID, critical }) => critical && !UNDERSTOOD.has(extnID))) return false;
    const basic = extensions.find(({ extnID }) => extnID === BASIC_CONSTRAINTS);
    if (basic === undefined) return false;
    const { result } = asn1.fromBER(basic.extnValue.valueBlock.valueHexView);
    const { cA, pathLenConstraint } = new BasicConstraints({ schema: result });
    return cA && (typeof pathLenConstraint !== 'number' || below <= pathLenConstraint);
  } catch {
    return false; // it is none
  }
}
