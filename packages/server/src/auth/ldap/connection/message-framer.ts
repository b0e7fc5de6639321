import { BER, BerError, berHeader } from './ber.ts';

/** Cuts what arrives into whole LDAP messages, however it was split on the way. */
export class MessageFramer {
  readonly #mostBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Octets that the message at the front needs; a header is two to six. */
  #needed = 2;
  #dead = false;

  /** `mostBytes`: the largest message taken; no more is ever held, but for the chunk that it came in. */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Octets of a message that is not whole yet. */
  get held(): number {
    return this.#held;
  }

  /** The messages that are whole now. Throws a BerError at what is none; then nothing more is taken. */
  push(chunk: Buffer): Buffer[] {
    if (this.#dead) return [];
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return [];
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held);
    const messages: Buffer[] = [];
    for (;;) {
      const whole = this.#wholeOf(bytes);
      this.#needed = whole ?? bytes.length + 1;
      if (whole === undefined || bytes.length < whole) break;
      messages.push(bytes.subarray(0, whole));
      bytes = bytes.subarray(whole);
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes];
    this.#held = bytes.length;
    return messages;
  }

  #wholeOf(bytes: Buffer): number | undefined {
    try {
      if (bytes.length > 0 && bytes[0] !== BER.sequence) throw new BerError('something else than an LDAP message');
      const whole = berHeader(bytes)?.whole;
      if (whole === undefined || whole <= this.#mostBytes) return whole;
      throw new BerError(`a message of ${whole} octets, which is more than the ${this.#mostBytes} allowed`);
    } catch (error) {
      this.#dead = true;
      this.#chunks = [];
      this.#held = 0;
      throw error;
    }
  }
}
