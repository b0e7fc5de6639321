import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';

/** Bytes of the code behind a session's id: nobody guesses 128 bits. */
const CODE_BYTES = 16;

/** The ids by which clients name their sessions: of no use to anybody else, though all nodes can read them. */
export class SessionIds {
  readonly #secret: Buffer;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  idOf(account: Jid, sid: string): string {
    const code = createHmac('sha256', this.#secret).update(`${sid} ${account.bareText}`).digest();
    return sid + code.toString('base64url', 0, CODE_BYTES);
  }

  /** The session that an id of this account names, or undefined where it is none of ours. */
  read(account: Jid, id: string): string | undefined {
    const sid = id.slice(0, 16);
    if (!/^[0-9a-f]{16}$/.test(sid)) return undefined;
    const [given, expected] = [Buffer.from(id), Buffer.from(this.idOf(account, sid))];
    return given.length === expected.length && timingSafeEqual(given, expected) ? sid : undefined;
  }
}
