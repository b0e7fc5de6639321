/**
 * Bytes that grow. Values are byte strings (one character per byte); keys and fields are text, written as UTF-8. A
 * length is a varint.
 */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(size = 16 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  varint(value: number): void {
    let rest = value;
    this.#reserve(10);
    while (rest > 0x7f) {
      this.#bytes[this.#length] = (rest % 0x80) | 0x80;
      this.#length += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  value(bytes: string): void {
    this.varint(bytes.length);
    this.#reserve(bytes.length);
    this.#length += this.#bytes.write(bytes, this.#length, bytes.length, 'latin1');
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(text, this.#length, length, 'utf8');
  }

  /** What was written, until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Bytes that somebody else wrote, as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hands out what was written, in memory of its own that may be given to another thread, and starts again. */
  take(): ArrayBuffer {
    const { buffer, byteOffset } = this.#bytes;
    const taken = (buffer as ArrayBuffer).slice(byteOffset, byteOffset + this.#length);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#length = 0;
    // A rare large batch must not keep its memory for good.
    if (this.#bytes.length > 4 * 1024 * 1024) this.#bytes = Buffer.allocUnsafeSlow(16 * 1024);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
