import { isAscii, isUtf8 } from 'node:buffer';

/**
 * Bytes to text across reads: a character may be split over two of them. Stops at what is not UTF-8 and never repairs
 * it, since a repaired stanza is not the one that was sent (RFC 6120 §11.6).
 */
export class Utf8Decoder {
  #tail: Buffer | undefined;
  #broken = false;

  /** Something came that is not UTF-8: what stood before it has been decoded, and nothing may follow. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes of a character that is not complete yet (0 to 3). */
  get held(): number {
    return this.#tail?.length ?? 0;
  }

  decode(bytes: Buffer): string {
    if (this.#tail === undefined && isAscii(bytes)) return bytes.toString('latin1');
    const all = this.#tail === undefined ? bytes : Buffer.concat([this.#tail, bytes]);
    const whole = all.length - incompleteTail(all);
    this.#tail = whole < all.length ? Buffer.from(all.subarray(whole)) : undefined;
    const complete = all.subarray(0, whole);
    if (isUtf8(complete)) return complete.toString('utf8');
    this.#broken = true;
    return complete.subarray(0, validLength(complete)).toString('utf8');
  }
}

/** Where what is not UTF-8 begins: the text before it must not depend on how the bytes were split. */
function validLength(bytes: Buffer): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - incompleteTail(part)))) valid = middle;
    else invalid = middle;
  }
  return valid - incompleteTail(bytes.subarray(0, valid));
}

/** How many bytes at the end begin a character that is not complete yet (0 to 3). */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}
