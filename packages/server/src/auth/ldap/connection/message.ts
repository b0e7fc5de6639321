import { BER, BerError, BerSequence, berBoolean, berElements, berOnly } from './ber.ts';

/** What the answers of a directory are (RFC 4511 §4.2 onwards): the octet that names the operation. */
export const RESPONSE = {
  bind: 0x61,
  entry: 0x64,
  searchDone: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  rename: 0x6d,
  compare: 0x6f,
  reference: 0x73,
  extended: 0x78,
  intermediate: 0x79,
} as const;

/** An answer, with its content still as it came. */
export interface LdapMessage {
  readonly id: number;
  /** One of RESPONSE, or something that nobody knows. */
  readonly operation: number;
  readonly content: Buffer;
  /** Values by object identifier; empty where there is none. */
  readonly controls: ReadonlyMap<string, Buffer>;
}

export interface LdapResult {
  readonly code: number;
  readonly diagnostic: string;
  readonly controls: ReadonlyMap<string, Buffer>;
}

const CONTROLS = 0xa0;
const EMPTY = Buffer.alloc(0);

/** RFC 4511 §4.1.1. Throws a BerError. */
export function readMessage(bytes: Buffer): LdapMessage {
  const parts = new BerSequence(berOnly(bytes, BER.sequence));
  const id = parts.integer();
  const [operation, controls] = parts.rest();
  if (operation === undefined) throw new BerError('a message without an operation');
  return {
    id,
    operation: operation.tag,
    content: operation.content,
    controls: controls?.tag === CONTROLS ? readControls(controls.content) : new Map(),
  };
}

/** RFC 4511 §4.1.11 */
function readControls(content: Buffer): Map<string, Buffer> {
  const controls = new Map<string, Buffer>();
  for (const { tag, content: control } of berElements(content)) {
    if (tag !== BER.sequence) throw new BerError('a control that is none');
    const parts = new BerSequence(control);
    const oid = parts.text();
    const critical = parts.optional(BER.boolean);
    if (critical !== undefined) berBoolean(critical);
    controls.set(oid, parts.optional(BER.octetString) ?? EMPTY);
  }
  return controls;
}

interface ResultParts {
  readonly result: LdapResult;
  /** What the operation adds to a result, by tag. */
  readonly more: ReadonlyMap<number, Buffer>;
}

/** RFC 4511 §4.1.9 */
export function readResult({ content, controls }: LdapMessage): ResultParts {
  const parts = new BerSequence(content);
  const code = parts.integer(BER.enumerated);
  parts.take(BER.octetString); // matchedDN
  const diagnostic = parts.text();
  const more = new Map(parts.rest().map((each) => [each.tag, each.content]));
  return { result: { code, diagnostic, controls }, more };
}

export interface RawEntry {
  readonly dn: string;
  /** Names in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
}

/** RFC 4511 §4.5.2 */
export function readEntry({ content }: LdapMessage): RawEntry {
  const parts = new BerSequence(content);
  const dn = parts.text();
  const attributes = new Map<string, Buffer[]>();
  for (const { tag, content: attribute } of berElements(parts.take(BER.sequence))) {
    if (tag !== BER.sequence) throw new BerError('an attribute that is none');
    const each = new BerSequence(attribute);
    const name = each.text().toLowerCase();
    const values = [...berElements(each.take(BER.set))].map((value) => {
      if (value.tag !== BER.octetString) throw new BerError('a value that is none');
      return value.content;
    });
    attributes.set(name, values);
  }
  return { dn, attributes };
}

/** RFC 4511 §4.13 */
export function readIntermediate({ content }: LdapMessage): { name: string; value: Buffer } {
  const parts = new BerSequence(content);
  const name = parts.optional(0x80)?.toString('latin1') ?? '';
  return { name, value: parts.optional(0x81) ?? EMPTY };
}
