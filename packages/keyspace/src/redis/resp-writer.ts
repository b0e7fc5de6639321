import type { WireCommand } from './wire.ts';

const USUAL = 64 * 1024;
const LARGEST_KEPT = 1024 * 1024;

/** Puts commands into the bytes that Redis reads (RESP): many of them together cost little more than one. */
export class RespWriter {
  #bytes = Buffer.allocUnsafeSlow(USUAL);
  #length = 0;

  command({ name, args }: WireCommand): void {
    // runs of text are written in one go
    let text = `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`;
    for (const arg of args) {
      if (typeof arg === 'string') {
        text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
      } else {
        this.#text(`${text}$${arg.length}\r\n`);
        this.#reserve(arg.length);
        this.#bytes.set(arg, this.#length);
        this.#length += arg.length;
        text = '\r\n';
      }
    }
    this.#text(text);
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

  #text(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
