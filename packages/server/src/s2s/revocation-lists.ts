import type { X509Certificate } from 'node:crypto';
import { DerError } from './der-reader.ts';
import { RevocationList } from './revocation-list.ts';

const KEY_USAGE = '2.5.29.15';
/** RFC 5280 §4.2.1.3: the seventh bit, cRLSign. */
const SIGNS_LISTS = 0x02;

/** What authorities have revoked, for those that OpenSSL does not judge (RFC 5280 §6.3). */
export class RevocationLists {
  readonly #pem: readonly string[];
  #lists: readonly RevocationList[] | undefined;
  /** What an authority has signed, by its fingerprint. */
  readonly #signed = new Map<string, Promise<readonly RevocationList[]>>();

  constructor(pem: readonly string[]) {
    this.#pem = pem;
  }

  /**
   * Why a path is not good by these lists, as OpenSSL would say; undefined where it is. Each authority on it needs a list that is
   * good now.
   */
  async faultOf(path: readonly X509Certificate[], now: number): Promise<string | undefined> {
    for (const [index, certificate] of path.entries()) {
      const issuer = path[index + 1];
      if (issuer === undefined) break; // the root: nobody can revoke it but whoever took it in
      const fault = faultBy(await this.#of(issuer), certificate.serialNumber, now);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #of(issuer: X509Certificate): Promise<readonly RevocationList[]> {
    let signed = this.#signed.get(issuer.fingerprint256);
    if (signed === undefined) {
      this.#lists ??= this.#pem.flatMap(read);
      signed = signedBy(issuer, this.#lists);
      this.#signed.set(issuer.fingerprint256, signed);
    }
    return signed;
  }
}

function read(pem: string): RevocationList[] {
  try {
    const list = new RevocationList(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'));
    return list.partial ? [] : [list];
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return []; // it is none, and whoever needs it has none
  }
}

async function signedBy(issuer: X509Certificate, lists: readonly RevocationList[]): Promise<RevocationList[]> {
  const [asn1, { Certificate, RelativeDistinguishedNames }] = await Promise.all([import('asn1js'), import('pkijs')]);
  const { extensions = [], subject } = Certificate.fromBER(new Uint8Array(issuer.raw));
  const usage = extensions.find(({ extnID }) => extnID === KEY_USAGE);
  // a bit string: tag, length, unused bits, bits
  const bits = usage?.extnValue.valueBlock.valueHexView[3];
  if (usage !== undefined && ((bits ?? 0) & SIGNS_LISTS) === 0) return [];
  return lists.filter((list) => {
    const { result: schema } = asn1.fromBER(new Uint8Array(list.issuer));
    return new RelativeDistinguishedNames({ schema }).isEqual(subject) && list.isSignedWith(issuer.publicKey);
  });
}

function faultBy(lists: readonly RevocationList[], serial: string, now: number): string | undefined {
  // an old list that has it is reason enough
  if (lists.some((list) => list.has(serial))) return 'CERT_REVOKED';
  let fault = 'UNABLE_TO_GET_CRL';
  for (const { from, until } of lists) {
    if (until === undefined || until < now) fault = 'CRL_HAS_EXPIRED';
    else if (from > now) fault = 'CRL_NOT_YET_VALID';
    else return undefined;
  }
  return fault;
}
