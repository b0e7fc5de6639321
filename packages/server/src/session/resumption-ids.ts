import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of the code behind the id of what is to be resumed: nobody guesses 128 bits. */
const CODE_BYTES = 16;

/**
 * The ids by which others name what they want to resume (XEP-0198): of no use to anybody but those whose it is, though all
 * nodes can read them.
 */
export class ResumptionIds {
  readonly #secret: Buffer;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** `whose`: an account, or two domains. */
  idOf(whose: string, sid: string): string {
    const code = createHmac('sha256', this.#secret).update(`${sid} ${whose}`).digest();
    return sid + code.toString('base64url', 0, CODE_BYTES);
  }

  /** What an id of theirs names, or undefined where it is none of ours. */
  read(whose: string, id: string): string | undefined {
    const sid = id.slice(0, 16);
    if (!/^[0-9a-f]{16}$/.test(sid)) return undefined;
    const [given, expected] = [Buffer.from(id), Buffer.from(this.idOf(whose, sid))];
    return given.length === expected.length && timingSafeEqual(given, expected) ? sid : undefined;
  }
}
