import type { WireCommand } from './wire.ts';

const USUAL = 64 * 1024;
const LARGEST_KEPT = 1024 * 1024;

const STAR = 42;
const DOLLAR = 36;
const ZERO = 48;
const RETURN = 13;
const NEWLINE = 10;

/** More than what stands around a value. */
const HEAD = 32;
/** Longer text is written by Node.js. */
const SHORT = 128;

/** Puts commands into the bytes that Redis reads (RESP): many of them together cost little more than one. */
export class RespWriter {
  #bytes = Buffer.allocUnsafeSlow(USUAL);
  #length = 0;

  command({ name, args }: WireCommand): void {
    this.#reserve(HEAD);
    this.#line(STAR, args.length + 1);
    this.#text(name);
    for (const arg of args) {
      if (typeof arg === 'string') this.#text(arg);
      else this.#binary(arg);
    }
  }

  /** What was written, which stays as it is until `begin`. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What comes next takes the place of what was written, unless somebody still needs that. */
  begin(needed: boolean): void {
    this.#length = 0;
    if (needed || this.#bytes.length > LARGEST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(USUAL);
  }

  #binary(value: Buffer): void {
    this.#reserve(value.length + HEAD);
    this.#line(DOLLAR, value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    this.#end();
  }

  #text(text: string): void {
    const { length } = text;
    this.#reserve(length * 3 + HEAD);
    const start = this.#length;
    if (length <= SHORT) {
      // names, keys and numbers: to have them written costs more than to write them
      this.#line(DOLLAR, length);
      const bytes = this.#bytes;
      const from = this.#length;
      let all = 0;
      for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index);
        all |= code;
        bytes[from + index] = code;
      }
      this.#length = from + length;
      if (all < 0x80) {
        this.#end();
        return;
      }
      this.#length = start;
    }
    this.#line(DOLLAR, Buffer.byteLength(text));
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
    this.#end();
  }

  /** A sign and a number. */
  #line(sign: number, count: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = sign;
    let unit = 1;
    while (unit * 10 <= count) unit *= 10;
    for (let rest = count; unit >= 1; unit /= 10) {
      const digit = Math.floor(rest / unit);
      bytes[this.#length++] = ZERO + digit;
      rest -= digit * unit;
    }
    this.#end();
  }

  #end(): void {
    this.#bytes[this.#length++] = RETURN;
    this.#bytes[this.#length++] = NEWLINE;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
