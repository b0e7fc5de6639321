import { Jid } from '@parley/xmpp/jid';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** id-on-xmppAddr (RFC 6120 §13.7.1.4) */
const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';
/** RFC 5280 §4.2.1.6: GeneralName, otherName */
const OTHER_NAME = 0;

/** The addresses in a verified certificate (XEP-0178 §2): its list of alternative names alone, never its subject. */
export async function certificateIdentities(der: Buffer | undefined): Promise<Jid[]> {
  if (der === undefined) return [];
  // Most nodes never see a client's certificate, so these are not loaded with every start.
  const [asn1, { Certificate }] = await Promise.all([import('asn1js'), import('pkijs')]);
  const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
  const extension = extensions.find(({ extnID }) => extnID === SUBJECT_ALTERNATIVE_NAME);
  if (extension === undefined) return [];
  const names = asn1.fromBER(extension.extnValue.valueBlock.valueHexView).result;
  if (!(names instanceof asn1.Sequence)) return [];
  return names.valueBlock.value.flatMap((name) => {
    if (!(name instanceof asn1.Constructed) || name.idBlock.tagNumber !== OTHER_NAME) return [];
    const [oid, wrapped] = name.valueBlock.value;
    if (!(oid instanceof asn1.ObjectIdentifier) || oid.getValue() !== XMPP_ADDRESS) return [];
    const text = wrapped instanceof asn1.Constructed ? wrapped.valueBlock.value[0] : undefined;
    return text instanceof asn1.Utf8String ? (Jid.tryParse(text.getValue()) ?? []) : [];
  });
}
