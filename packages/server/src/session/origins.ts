import { serialDistance } from '@parley/xmpp/serial';
import type { Origin } from '@parley/xmpp/stanza';

/** Senders that are remembered for one recipient. */
const MOST = 64;

const keyOf = ({ sid, effect }: Origin): string => `${sid}.${effect}`;

/**
 * What one session has got from whom: a sender that resumes after a crash sends again what its server had not counted,
 * and its recipients have had some of it. A sender's stanzas are taken in order, so the highest number is enough.
 */
export class Origins {
  readonly #highest = new Map<string, number>();

  constructor(known: Iterable<readonly [string, number]> = []) {
    for (const [key, k] of known) this.#highest.set(key, k);
  }

  /** False where it came before. */
  add(origin: Origin): boolean {
    const key = keyOf(origin);
    const highest = this.#highest.get(key);
    if (highest !== undefined && serialDistance(origin.k, highest) <= 0) return false;
    this.#highest.delete(key); // the newest are last
    this.#highest.set(key, origin.k);
    if (this.#highest.size > MOST) this.#highest.delete(this.#highest.keys().next().value as string);
    return true;
  }

  entries(): ReadonlyMap<string, number> {
    return this.#highest;
  }
}
