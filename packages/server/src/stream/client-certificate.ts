import { Jid } from '@parley/xmpp/jid';
import { Utf8String } from 'asn1js';
import { AltName, Certificate } from 'pkijs';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** id-on-xmppAddr (RFC 6120 §13.7.1.4) */
const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5';
const OTHER_NAME = 0;

/** The addresses in a verified certificate (XEP-0178 §2): its list of alternative names alone, never its subject. */
export function certificateIdentities(der: Buffer | undefined): Jid[] {
  if (der === undefined) return [];
  const extensions = Certificate.fromBER(new Uint8Array(der)).extensions ?? [];
  const names = extensions.find(({ extnID }) => extnID === SUBJECT_ALTERNATIVE_NAME)?.parsedValue;
  if (!(names instanceof AltName)) return [];
  return names.altNames.flatMap(({ type, value }) => {
    if (type !== OTHER_NAME) return [];
    const [oid, tagged] = value.valueBlock.value;
    if (oid?.valueBlock.toString() !== XMPP_ADDRESS) return [];
    const text = tagged?.valueBlock.value[0];
    return text instanceof Utf8String ? (Jid.tryParse(text.valueBlock.value) ?? []) : [];
  });
}
