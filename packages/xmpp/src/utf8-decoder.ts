import { isAscii, isUtf8 } from 'node:buffer';
import { StreamError } from './stream-error.ts';

/**
 * Bytes to text across reads: a character may be split over two of them. Refuses what is not UTF-8 and never repairs
 * it, since a repaired stanza is not the one that was sent (RFC 6120 §11.6).
 */
export class Utf8Decoder {
  #tail: Buffer | undefined;

  decode(bytes: Buffer): string {
    if (this.#tail === undefined && isAscii(bytes)) return bytes.toString('latin1');
    const all = this.#tail === undefined ? bytes : Buffer.concat([this.#tail, bytes]);
    const whole = all.length - incompleteTail(all);
    this.#tail = whole < all.length ? Buffer.from(all.subarray(whole)) : undefined;
    const complete = all.subarray(0, whole);
    if (!isUtf8(complete)) throw new StreamError('not-well-formed', 'The stream is not UTF-8.');
    return complete.toString('utf8');
  }
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
