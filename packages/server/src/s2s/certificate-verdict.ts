import { domainToASCII } from 'node:url';
import { tryDomainPart } from '@parley/xmpp/jid';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** id-on-dnsSRV (RFC 4985) */
const SRV_NAME = '1.3.6.1.5.5.7.8.7';
/** id-on-xmppAddr (RFC 6120 §13.7.1.4) */
const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';
/** RFC 5280 §4.2.1.6: GeneralName */
const OTHER_NAME = 0;
const DNS_NAME = 2;

/** More names than this are not looked at. */
const MOST_NAMES = 1000;

/** One name that a certificate is for. */
export interface CertificateName {
  readonly kind: 'dns' | 'srv' | 'xmpp';
  readonly text: string;
}

/** The names in the list of alternative names, never the subject's (RFC 9525 §2); none where the list is no good. */
export async function certificateNames(der: Uint8Array): Promise<CertificateName[]> {
  // A node that talks to nobody never sees a certificate, so these are not loaded with every start.
  const [asn1, { Certificate }] = await Promise.all([import('asn1js'), import('pkijs')]);
  try {
    const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
    const [extension, another] = extensions.filter(({ extnID }) => extnID === SUBJECT_ALTERNATIVE_NAME);
    // two are against RFC 5280 §4.2, and others might look at the other one
    if (extension === undefined || another !== undefined) return [];
    const names = asn1.fromBER(extension.extnValue.valueBlock.valueHexView).result;
    if (!(names instanceof asn1.Sequence)) return [];
    return names.valueBlock.value.slice(0, MOST_NAMES).flatMap((name) => certificateName(asn1, name));
  } catch {
    return []; // it is none
  }
}

type Asn1 = typeof import('asn1js');

function certificateName(asn1: Asn1, name: unknown): CertificateName[] {
  if (name instanceof asn1.Primitive && name.idBlock.tagClass === 3 && name.idBlock.tagNumber === DNS_NAME) {
    return [{ kind: 'dns', text: Buffer.from(name.valueBlock.valueHexView).toString('latin1') }];
  }
  if (!(name instanceof asn1.Constructed) || name.idBlock.tagNumber !== OTHER_NAME) return [];
  const [oid, wrapped] = name.valueBlock.value;
  const value = wrapped instanceof asn1.Constructed ? wrapped.valueBlock.value[0] : undefined;
  if (!(oid instanceof asn1.ObjectIdentifier)) return [];
  if (oid.getValue() === SRV_NAME && value instanceof asn1.IA5String) return [{ kind: 'srv', text: value.getValue() }];
  if (oid.getValue() === XMPP_ADDRESS && value instanceof asn1.Utf8String) {
    return [{ kind: 'xmpp', text: value.getValue() }];
  }
  return [];
}

/** Whether these names stand for the XMPP server of a domain, which is prepared as those of addresses are. */
export function standsFor(names: readonly CertificateName[], domain: string): boolean {
  const ascii = domainToASCII(domain);
  if (ascii === '' || /^[0-9.]+$/.test(ascii) || domain.startsWith('[')) return false;
  return names.some(({ kind, text }) => {
    if (kind === 'dns') return dnsMatches(text, ascii);
    if (kind === 'xmpp') return tryDomainPart(text) === domain;
    // RFC 6120 §13.7.1.2.1; a connection with TLS from the first byte is the same service (XEP-0368 §2)
    const service = /^_xmpps?-server\./i.exec(text)?.[0];
    return service !== undefined && dnsMatches(text.slice(service.length), ascii);
  });
}

/** RFC 9525 §6.3: labels without regard to case; `*` alone stands for exactly one label, the leftmost. */
function dnsMatches(presented: string, ascii: string): boolean {
  const name = presented.toLowerCase().replace(/\.$/, '');
  if (!name.startsWith('*.')) return name === ascii;
  const rest = name.slice(1);
  // nobody may vouch for a whole top-level domain
  if (rest.includes('*') || !rest.slice(1).includes('.')) return false;
  return ascii.endsWith(rest) && ascii.indexOf('.') === ascii.length - rest.length;
}

/** What a certificate says about a domain, for people. */
export interface CertificateVerdict {
  readonly good: boolean;
  readonly words: string;
  /** Who vouches for it, where it is good: an authority, secure DNS, or the web server of the domain. */
  readonly by?: CertificateVoucher;
  /** It must not be taken for the server of the domain, whatever DNS leads to it. */
  readonly final?: boolean;
}

export type CertificateVoucher = 'certificate' | 'dane' | 'posh';

/**
 * Whether a certificate proves that its owner speaks for a domain. `fault`: why nobody whom we trust vouches for it, if
 * so, in OpenSSL's words. `vouched`: the names that its authority may give it, if not all.
 */
export async function certificateVerdict(
  certificate: Uint8Array | undefined,
  fault: string | undefined,
  domain: string,
  vouched?: readonly CertificateName[],
): Promise<CertificateVerdict> {
  if (certificate === undefined) return { good: false, words: 'it showed no certificate' };
  if (fault !== undefined) return { good: false, words: faultWords(fault) };
  const names = vouched ?? (await certificateNames(certificate));
  if (standsFor(names, domain)) return { good: true, words: `its certificate stands for ${domain}`, by: 'certificate' };
  const list = names.slice(0, 10).map(({ text }) => text);
  return { good: false, words: `its certificate is for ${list.join(', ') || 'nobody'}, not for ${domain}` };
}

const FAULTS = new Map([
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is signed by itself'],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'nobody whom we trust has signed its certificate: the chain ends with an unknown authority',
  ],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'we do not know who has signed its certificate'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'it did not send the certificates between its own and an authority that we know'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['UNABLE_TO_GET_CRL', 'one of its authorities has no revocation list here'],
  ['CRL_HAS_EXPIRED', 'the revocation list of one of its authorities is out of date'],
  ['CRL_NOT_YET_VALID', 'the revocation list of one of its authorities is not valid yet'],
  // what Node has no name for
  ['UNSPECIFIED', 'its chain of certificates breaks a rule, as where an authority may not vouch for its names'],
  ['INVALID_PURPOSE', 'its certificate is not made for servers'],
]);

export const faultWords = (fault: string) => FAULTS.get(fault) ?? `its certificate is not good (${fault})`;
