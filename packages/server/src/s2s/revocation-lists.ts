import type { X509Certificate } from 'node:crypto';
import type { CertificateRevocationList, Certificate as PkiCertificate } from 'pkijs';

const KEY_USAGE = '2.5.29.15';
/** RFC 5280 §4.2.1.3: the seventh bit, cRLSign. */
const SIGNS_LISTS = 0x02;

interface List {
  readonly made: CertificateRevocationList;
  /** Serial numbers, in hexadecimal digits. */
  readonly serials: ReadonlySet<string>;
  /** The fingerprints of issuers that have signed it, or have not. */
  readonly signers: Map<string, boolean>;
}

/** What authorities have revoked, for those that OpenSSL does not judge (RFC 5280 §6.3). */
export class RevocationLists {
  readonly #pem: readonly string[];
  #lists: Promise<readonly List[]> | undefined;

  constructor(pem: readonly string[]) {
    this.#pem = pem;
  }

  /**
   * Why a path is not good by these lists, as OpenSSL would say; undefined where it is. Each authority on it needs a list that is
   * good now.
   */
  async faultOf(path: readonly X509Certificate[], now: number): Promise<string | undefined> {
    this.#lists ??= read(this.#pem);
    const lists = await this.#lists;
    for (const [index, certificate] of path.entries()) {
      const issuer = path[index + 1];
      if (issuer === undefined) break; // the root: nobody can revoke it but whoever took it in
      const fault = await faultBy(lists, certificate, issuer, now);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
}

async function read(pem: readonly string[]): Promise<List[]> {
  const { CertificateRevocationList } = await import('pkijs');
  const lists: List[] = [];
  for (const text of pem) {
    const made = attempt(() => CertificateRevocationList.fromBER(derOf(text)));
    if (made === undefined) continue;
    const entries = made.revokedCertificates ?? [];
    // what is critical limits or extends what a list is about, and would have to be understood
    const limited = made.crlExtensions?.extensions.some(({ critical }) => critical) ?? false;
    const indirect = entries.some(({ crlEntryExtensions }) =>
      crlEntryExtensions?.extensions.some(({ critical }) => critical),
    );
    if (limited || indirect) continue;
    const serials = new Set(entries.map(({ userCertificate }) => hex(userCertificate.valueBlock.valueHexView)));
    lists.push({ made, serials, signers: new Map() });
  }
  return lists;
}

async function faultBy(
  lists: readonly List[],
  certificate: X509Certificate,
  issuer: X509Certificate,
  now: number,
): Promise<string | undefined> {
  const { Certificate } = await import('pkijs');
  const parsed = Certificate.fromBER(new Uint8Array(issuer.raw));
  if (!maySignLists(parsed)) return 'UNABLE_TO_GET_CRL';
  const serial = digits(certificate.serialNumber);
  let fault = 'UNABLE_TO_GET_CRL';
  let good = false;
  for (const list of lists) {
    if (!(await isSignedBy(list, parsed, issuer.fingerprint256))) continue;
    // an old list that has it is reason enough
    if (list.serials.has(serial)) return 'CERT_REVOKED';
    const { thisUpdate, nextUpdate } = list.made;
    if (nextUpdate === undefined || +nextUpdate.value < now) fault = 'CRL_HAS_EXPIRED';
    else if (+thisUpdate.value > now) fault = 'CRL_NOT_YET_VALID';
    else good = true;
  }
  return good ? undefined : fault;
}

async function isSignedBy({ made, signers }: List, issuer: PkiCertificate, fingerprint: string): Promise<boolean> {
  let signed = signers.get(fingerprint);
  if (signed === undefined) {
    signed =
      made.issuer.isEqual(issuer.subject) && (await made.verify({ issuerCertificate: issuer }).catch(() => false));
    signers.set(fingerprint, signed);
  }
  return signed;
}

function maySignLists({ extensions = [] }: PkiCertificate): boolean {
  const usage = extensions.find(({ extnID }) => extnID === KEY_USAGE);
  if (usage === undefined) return true;
  const bits = usage.extnValue.valueBlock.valueHexView; // a bit string: tag, length, unused bits, bits
  return ((bits[3] ?? 0) & SIGNS_LISTS) !== 0;
}

const derOf = (pem: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'));

const hex = (bytes: Uint8Array): string => digits(Buffer.from(bytes).toString('hex'));

/** Without regard to zeros in front and to case. */
const digits = (text: string): string => text.toLowerCase().replace(/^0+(?=.)/, '');

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined; // it is none
  }
}
