/** Bytes that are not the BER that LDAP allows (RFC 4511 §5.1). */
export class BerError extends Error {
  override name = 'BerError';
}

/** One element: the identifier octet and what it holds. */
export interface BerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** The universal types that LDAP uses. */
export const BER = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

interface Header {
  /** Octets of identifier and length. */
  readonly head: number;
  /** Octets of the whole element. */
  readonly whole: number;
}

/** How long the element is that begins at `start`; undefined while that cannot be told yet. */
export function berHeader(bytes: Buffer, start = 0): Header | undefined {
  if (bytes.length < start + 2) return undefined;
  const tag = bytes.readUInt8(start);
  if ((tag & 0x1f) === 0x1f) throw new BerError('an identifier of more than one octet');
  const first = bytes.readUInt8(start + 1);
  if (first < 0x80) return { head: 2, whole: 2 + first };
  const octets = first & 0x7f;
  if (octets === 0) throw new BerError('an indefinite length');
  if (octets > 4) throw new BerError('a length of more than four octets');
  if (bytes.length < start + 2 + octets) return undefined;
  return { head: 2 + octets, whole: 2 + octets + bytes.readUIntBE(start + 2, octets) };
}

/** The elements that these bytes are made of, each whole. Throws a BerError where they are not. */
export function* berElements(bytes: Buffer): Generator<BerElement, void, undefined> {
  for (let at = 0; at < bytes.length; ) {
    const header = berHeader(bytes, at);
    if (header === undefined || at + header.whole > bytes.length) throw new BerError('an element that is cut off');
    yield { tag: bytes.readUInt8(at), content: bytes.subarray(at + header.head, at + header.whole) };
    at += header.whole;
  }
}

/** The one element of a given type that these bytes are. */
export function berOnly(bytes: Buffer, tag: number): Buffer {
  const [element, more] = berElements(bytes);
  if (element?.tag !== tag || more !== undefined) throw new BerError(`something else than one element 0x${hex(tag)}`);
  return element.content;
}

/** Reads elements one after another, where their order is given. */
export class BerSequence {
  readonly #elements: BerElement[];
  #at = 0;

  constructor(content: Buffer) {
    this.#elements = [...berElements(content)];
  }

  /** The next one, which has to be of this type. */
  take(tag: number): Buffer {
    const content = this.optional(tag);
    if (content === undefined) throw new BerError(`something else where an element 0x${hex(tag)} belongs`);
    return content;
  }

  /** The next one, where it is of this type. */
  optional(tag: number): Buffer | undefined {
    const next = this.#elements[this.#at];
    if (next?.tag !== tag) return undefined;
    this.#at++;
    return next.content;
  }

  text(tag: number = BER.octetString): string {
    return this.take(tag).toString('utf8');
  }

  integer(tag: number = BER.integer): number {
    return berInteger(this.take(tag));
  }

  /** What is left. */
  rest(): readonly BerElement[] {
    return this.#elements.slice(this.#at);
  }
}

export function berInteger(content: Buffer): number {
  if (content.length === 0 || content.length > 6) throw new BerError('a number that does not fit');
  return content.readIntBE(0, content.length);
}

export function berBoolean(content: Buffer): boolean {
  if (content.length !== 1) throw new BerError('a truth value that is none');
  return content[0] !== 0;
}

/** An element that holds these, one behind the other. */
export function berEncode(tag: number, ...contents: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(contents.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const octets = length <= 0xff ? 1 : length <= 0xffff ? 2 : length <= 0xff_ffff ? 3 : 4;
  const head = Buffer.alloc(2 + octets);
  head.writeUInt8(tag, 0);
  head.writeUInt8(0x80 | octets, 1);
  head.writeUIntBE(length, 2, octets);
  return Buffer.concat([head, content]);
}

/** A number of up to six octets. */
export function berEncodeInteger(value: number, tag: number = BER.integer): Buffer {
  const octets = [1, 2, 3, 4, 5, 6].find((each) => value >= -(2 ** (8 * each - 1)) && value < 2 ** (8 * each - 1)) ?? 6;
  const content = Buffer.alloc(octets);
  content.writeIntBE(value, 0, octets);
  return berEncode(tag, content);
}

export const berEncodeBoolean = (value: boolean): Buffer => berEncode(BER.boolean, Buffer.from([value ? 0xff : 0]));

const hex = (tag: number) => tag.toString(16).padStart(2, '0');
