import type { Stanza } from '@parley/xmpp/stanza';
import type { Session } from '../../session/session.ts';

/** Messages of one session that are remembered, and the longest id and address that are. */
const MOST_MESSAGES = 50;
const LONGEST_KEY = 512;

/** What sessions have sent of late that was copied: an error that answers it is to be copied too. */
export class SentMessages {
  readonly #keys = new WeakMap<Session, Set<string>>();

  add(session: Session, { id, to }: Stanza): void {
    const key = keyOf(id, to?.toString());
    if (key === undefined) return;
    let keys = this.#keys.get(session);
    if (keys === undefined) {
      keys = new Set();
      this.#keys.set(session, keys);
    }
    keys.add(Buffer.from(key).toString()); // a copy: the text came out of a larger one
    for (const oldest of keys) {
      if (keys.size <= MOST_MESSAGES) break;
      keys.delete(oldest);
    }
  }

  /** Whether the error answers one of them. */
  isAnsweredBy(session: Session, { id, from }: Stanza): boolean {
    const key = keyOf(id, from?.toString());
    return key !== undefined && this.#keys.get(session)?.has(key) === true;
  }
}

function keyOf(id: string | undefined, address: string | undefined): string | undefined {
  if (id === undefined || address === undefined || id.length + address.length > LONGEST_KEY) return undefined;
  return `${address} ${id}`;
}
