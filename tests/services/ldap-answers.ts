import { BER, berEncode, berEncodeInteger } from '../../packages/server/src/auth/ldap/connection/ber.ts';
import { RESPONSE } from '../../packages/server/src/auth/ldap/connection/message.ts';

export interface AnswerControl {
  readonly oid: string;
  readonly value?: Uint8Array;
}

export type AnswerAttributes = Iterable<readonly [name: string, values: readonly (string | Uint8Array)[]]>;

const CONTROLS = 0xa0;

const text = (value: string | Uint8Array) => berEncode(BER.octetString, value);

/** One LDAP message, as a directory sends it (RFC 4511 §4.1.1). */
export function answer(
  id: number,
  operation: number,
  content: readonly Uint8Array[],
  controls: readonly AnswerControl[] = [],
): Buffer {
  const each = controls.map(({ oid, value }) =>
    berEncode(BER.sequence, text(oid), ...(value === undefined ? [] : [text(value)])),
  );
  return berEncode(
    BER.sequence,
    berEncodeInteger(id),
    berEncode(operation, ...content),
    ...(each.length === 0 ? [] : [berEncode(CONTROLS, ...each)]),
  );
}

export interface AnsweredResult {
  readonly code?: number;
  readonly diagnostic?: string;
  readonly controls?: readonly AnswerControl[];
  /** What the operation adds to a result. */
  readonly more?: readonly Uint8Array[];
}

/** RFC 4511 §4.1.9 */
export function resultAnswer(id: number, operation: number, result: AnsweredResult = {}): Buffer {
  const { code = 0, diagnostic = '', controls = [], more = [] } = result;
  return answer(id, operation, [berEncodeInteger(code, BER.enumerated), text(''), text(diagnostic), ...more], controls);
}

/** RFC 4511 §4.5.2 */
export function entryAnswer(
  id: number,
  dn: string,
  attributes: AnswerAttributes = [],
  controls: readonly AnswerControl[] = [],
): Buffer {
  const each = [...attributes].map(([name, values]) =>
    berEncode(BER.sequence, text(name), berEncode(BER.set, ...values.map(text))),
  );
  return answer(id, RESPONSE.entry, [text(dn), berEncode(BER.sequence, ...each)], controls);
}

/** RFC 4511 §4.13 */
export function intermediateAnswer(id: number, name: string, value: Uint8Array): Buffer {
  return answer(id, RESPONSE.intermediate, [berEncode(0x80, name), berEncode(0x81, value)]);
}
