import type { Jid } from '@parley/xmpp/jid';

/** To whom one session has sent available presence of its own accord (RFC 6121 §4.6). */
export class DirectedPresence implements Iterable<Jid> {
  readonly #targets = new Map<string, Jid>();

  get size(): number {
    return this.#targets.size;
  }

  /** False where there are `most` already. */
  add(to: Jid, most: number): boolean {
    const key = to.toString();
    if (this.#targets.has(key)) return true;
    if (this.#targets.size >= most) return false;
    this.#targets.set(key, to);
    return true;
  }

  delete(to: Jid): void {
    this.#targets.delete(to.toString());
  }

  /** Whether anybody at this bare address is among them: an occupant of a room is at the room's. */
  reaches(jid: Jid): boolean {
    for (const target of this.#targets.values()) if (target.bareText === jid.bareText) return true;
    return false;
  }

  [Symbol.iterator](): IterableIterator<Jid> {
    return this.#targets.values();
  }
}
