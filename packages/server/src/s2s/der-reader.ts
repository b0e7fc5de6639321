/** It is not what it should be. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** Tags (X.680 §8.4). */
export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  tagged0: 0xa0,
} as const;

interface Value {
  readonly tag: number;
  /** With tag and length, and without. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/**
 * Reads values one behind the other (X.690 §8.1), for lists with a hundred thousand of them, of which a tree would take
 * seconds and a gigabyte. Throws a DerError.
 */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next value; undefined where there is none. */
  get tag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next value, which has to have one of these tags where there are any. */
  next(...tags: readonly number[]): Value {
    const bytes = this.#bytes;
    const at = this.#at;
    const [tag, first] = [bytes[at], bytes[at + 1]];
    if (tag === undefined || first === undefined) throw new DerError('It ends too early.');
    if (tags.length > 0 && !tags.includes(tag)) throw new DerError(`A value has the tag ${tag}.`);
    let start = at + 2;
    let length = first;
    if (first >= 0x80) {
      const size = first & 0x7f;
      if (size === 0 || size > 4 || start + size > bytes.length) throw new DerError('A length is not good.');
      length = bytes.readUIntBE(start, size);
      start += size;
    }
    const end = start + length;
    if (end > bytes.length) throw new DerError('It ends too early.');
    this.#at = end;
    return { tag, whole: bytes.subarray(at, end), content: bytes.subarray(start, end) };
  }

  /** What is in the next value. */
  within(...tags: readonly number[]): DerReader {
    return new DerReader(this.next(...tags).content);
  }

  /** The next value where it has this tag. */
  optional(...tags: readonly number[]): Value | undefined {
    return this.tag !== undefined && tags.includes(this.tag) ? this.next() : undefined;
  }
}

/** Milliseconds since 1970 of a time (RFC 5280 §4.1.2.5). */
export function derTime({ tag, content }: Pick<Value, 'tag' | 'content'>): number {
  const text = content.toString('latin1');
  const short = tag === DER.utcTime;
  const parts = (
    short ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/ : /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
  )
    .exec(text)
    ?.slice(1)
    .map(Number);
  if (parts === undefined) throw new DerError('A time is not good.');
  const [year = 0, month = 0, ...rest] = parts;
  const [day, hours, minutes, seconds] = rest;
  return Date.UTC(short ? (year < 50 ? 2000 : 1900) + year : year, month - 1, day, hours, minutes, seconds);
}
