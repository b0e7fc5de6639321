import type { Origin } from '@parley/xmpp/stanza';

const MOST = 1024;
/** The same for those who come after this process. */
const MOST_KEPT = 16;

/**
 * The effect of an answer to what another server was not reached with, under a number by the queue where it waited. That may say
 * it once more after a crash, in which the session that it is for may have been lost as well: so those who come after the
 * session know the last ones, too. In the header of a journal, where an effect has one number, they have this effect and those
 * that follow.
 */
export const RETURNED = 4;

/** What one session was returned of late, the oldest first. */
export class Returned {
  readonly #last = new Set<string>();

  /** False where it came before. */
  add(origin: Pick<Origin, 'sid' | 'k'>): boolean {
    const name = nameOf(origin);
    if (this.#last.has(name)) return false;
    this.#last.add(name);
    if (this.#last.size > MOST) this.#last.delete(this.#last.keys().next().value as string);
    return true;
  }

  has(origin: Pick<Origin, 'sid' | 'k'>): boolean {
    return this.#last.has(nameOf(origin));
  }

  /** For a header: each with a key of its own. */
  *entries(): Iterable<[string, number]> {
    const places = new Map<string, number>();
    for (const name of this.#last.keys().drop(Math.max(0, this.#last.size - MOST_KEPT))) {
      const [sid = '', k] = name.split(' ');
      const place = places.get(sid) ?? 0;
      places.set(sid, place + 1);
      yield [`${sid}.${RETURNED + place}`, Number(k)];
    }
  }
}

const nameOf = ({ sid, k }: Pick<Origin, 'sid' | 'k'>): string => `${sid} ${k}`;
