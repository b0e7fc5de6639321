import { Jid } from '@parley/xmpp/jid';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** id-on-xmppAddr (RFC 6120 §13.7.1.4) */
const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';
/** RFC 5280 §4.2.1.6: GeneralName */
const OTHER_NAME = 0;
const MAIL_ADDRESS = 1;

/**
 * The addresses in a verified certificate (XEP-0178 §2): its list of alternative names alone, never its subject. With
 * `mail`, one that names no address of XMPP counts for the mail addresses that it names.
 */
export async function certificateIdentities(der: Buffer | undefined, mail: boolean): Promise<Jid[]> {
  if (der === undefined) return [];
  // Most nodes never see a client's certificate, so these are not loaded with every start.
  const [asn1, { Certificate }] = await Promise.all([import('asn1js'), import('pkijs')]);
  const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
  const extension = extensions.find(({ extnID }) => extnID === SUBJECT_ALTERNATIVE_NAME);
  if (extension === undefined) return [];
  const names = asn1.fromBER(extension.extnValue.valueBlock.valueHexView).result;
  if (!(names instanceof asn1.Sequence)) return [];
  const named = names.valueBlock.value;
  const addresses = named.filter((name) => isXmppAddress(asn1, name));
  if (addresses.length > 0 || !mail) return addresses.flatMap((name) => xmppAddress(asn1, name));
  return named.flatMap((name) => mailAddress(asn1, name));
}

type Asn1 = typeof import('asn1js');

/** The name behind `XMPP_ADDRESS`, whatever it is. */
function otherName(asn1: Asn1, name: unknown): unknown {
  if (!(name instanceof asn1.Constructed) || name.idBlock.tagNumber !== OTHER_NAME) return undefined;
  const [oid, wrapped] = name.valueBlock.value;
  return oid instanceof asn1.ObjectIdentifier && oid.getValue() === XMPP_ADDRESS ? wrapped : undefined;
}

const isXmppAddress = (asn1: Asn1, name: unknown) => otherName(asn1, name) !== undefined;

function xmppAddress(asn1: Asn1, name: unknown): Jid[] {
  const wrapped = otherName(asn1, name);
  const text = wrapped instanceof asn1.Constructed ? wrapped.valueBlock.value[0] : undefined;
  return text instanceof asn1.Utf8String ? addressIn(text.getValue()) : [];
}

function mailAddress(asn1: Asn1, name: unknown): Jid[] {
  if (!(name instanceof asn1.Primitive) || name.idBlock.tagClass !== 3 || name.idBlock.tagNumber !== MAIL_ADDRESS) {
    return [];
  }
  const text = Buffer.from(name.valueBlock.valueHexView).toString('latin1');
  const jid = /^[\x21-\x7e]+@[\x21-\x7e]+$/.test(text) ? Jid.tryParse(text) : undefined;
  return jid?.isBare && jid.local !== '' ? [jid] : [];
}

function addressIn(text: string): Jid[] {
  const jid = Jid.tryParse(text);
  return jid === undefined ? [] : [jid];
}
