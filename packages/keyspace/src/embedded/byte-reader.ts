/** Reads what ByteWriter wrote. Throws RangeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  value(): string {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#bytes.toString('latin1', start, start + length);
  }

  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  raw(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  #advance(count: number): number {
    const start = this.#position;
    if (start + count > this.#bytes.length) throw new RangeError('The bytes end too early');
    this.#position = start + count;
    return start;
  }
}
