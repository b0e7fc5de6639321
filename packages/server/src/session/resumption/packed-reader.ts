import { isUtf8 } from 'node:buffer';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { sessionIdAt } from '../session-id.ts';

/** Reads what PackedWriter wrote. Throws a KeyspaceError `damaged` where the bytes can be nothing of the kind. */
export class PackedReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #position = 0;

  /** `what` is read, for the message: `A journal entry in the keyspace`. */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  uint48(): number {
    return this.#bytes.readUIntBE(this.#advance(6), 6);
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(value)) throw this.damaged('a number in it is too large');
      if (byte < 0x80) {
        if (byte === 0 && factor > 1) throw this.damaged('a number in it is longer than it needs to be');
        return value;
      }
    }
  }

  sessionId(): string {
    return sessionIdAt(this.#bytes, this.#advance(8));
  }

  /** The next `count` bytes, which stay where they are: no copy. */
  bytes(count: number): Buffer {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** Everything that has not been read yet, without a copy. */
  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#position);
  }

  get atEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  text(): string {
    const length = this.varint();
    const start = this.#advance(length);
    if (!isUtf8(this.#bytes.subarray(start, start + length))) throw this.damaged('a text in it is not UTF-8');
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** The first byte, which says how the others are to be read. */
  version(...known: readonly number[]): number {
    const version = this.byte();
    if (!known.includes(version))
      throw this.damaged(`its format is ${version}, and this version of the server reads ${known.join(' and ')}`);
    return version;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#position < this.#bytes.length) throw this.damaged('there is more of it than there should be');
  }

  damaged(why: string): KeyspaceError {
    return new KeyspaceError('damaged', `${this.#what} cannot be read: ${why}.`);
  }

  #advance(count: number): number {
    const start = this.#position;
    if (count > this.#bytes.length - start) throw this.damaged('it ends too early');
    this.#position = start + count;
    return start;
  }
}
