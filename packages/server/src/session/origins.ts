import { serialDistance } from '@parley/xmpp/serial';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { RETURNED, Returned } from './returned.ts';

/** Senders that are remembered for one recipient. */
const MOST = 64;

/** The effect of a copy for another resource (XEP-0280). */
export const COPY = 1;

/** The effect of a stanza that was stored before it came, so that it may come after later ones of its sender. */
export const STORED = 2;

/**
 * The effect of a stanza of no numbered sender, to which a node has given a number of its own: what it has for one recipient
 * goes several ways, so that a lower number may well come later.
 */
export const UNORDERED = 3;

/** Such numbers of one node that are remembered. */
const MOST_UNORDERED = 16;

/** Whether what comes after a stanza of this origin may have a lower number. */
export const isUnordered = ({ effect }: Origin): boolean => effect >= UNORDERED;

/** Who waits for longer than so many milliseconds may not count on the sessions that come meanwhile. */
const LATE_MS = 2000;

/** The origin of a stanza whose recipient was chosen then, as `performance.now()`, and takes it now. */
export const originSince = (origin: Origin, since: number): Origin =>
  performance.now() - since < LATE_MS ? origin : { ...origin, late: true };

/** The same of a stanza; nothing is said of one that has no origin. */
export function chosenAt(stanza: Stanza, since: number): Stanza {
  const { origin } = stanza;
  const now = origin && originSince(origin, since);
  return now === origin ? stanza : stanza.withOrigin(now);
}

/** What has no other effect is known by the id alone, which costs no new text. */
const keyOf = ({ sid }: Origin, effect: number): string => (effect === 0 ? sid : `${sid}.${effect}`);

/**
 * What one session has got from whom: a sender that resumes after a crash sends again what its server had not counted,
 * and its recipients have had some of it. A sender's stanzas are taken in order, so the highest number is enough.
 */
export class Origins {
  readonly #highest = new Map<string, number>();
  /** There may be some that were `STORED` among them. */
  #anyStored = false;
  /** What `entries` told, until something changes. */
  #entries: ReadonlyMap<string, number> | undefined;
  /** The last of the `UNORDERED` of each node. */
  readonly #unordered = new Map<string, number[]>();
  readonly #returned = new Returned();
  readonly #most: number;

  /** So many senders are remembered; what is for those who come after this process holds no more than `MOST_ORIGINS`. */
  constructor(known: Iterable<readonly [string, number]> = [], most = MOST) {
    this.#most = most;
    for (const [key, k] of known) {
      const [sid = '', effect] = key.split('.');
      if (Number(effect) >= RETURNED) {
        this.#returned.add({ sid, k });
        continue;
      }
      this.#highest.set(effect === '0' ? sid : key, k);
      this.#anyStored ||= Number(effect) === STORED;
    }
  }

  /** False where it came before. */
  add(origin: Origin): boolean {
    if (origin.effect === RETURNED) {
      this.#entries = undefined;
      return this.#returned.add(origin);
    }
    if (this.has(origin)) return false;
    if (origin.effect === UNORDERED) {
      this.#addUnordered(origin);
      return true;
    }
    const key = keyOf(origin, origin.effect);
    this.#anyStored ||= origin.effect === STORED;
    this.#entries = undefined;
    this.#highest.delete(key); // the newest are last
    this.#highest.set(key, origin.k);
    if (this.#highest.size > this.#most) this.#highest.delete(this.#highest.keys().next().value as string);
    return true;
  }

  #addUnordered({ sid, k }: Origin): void {
    const last = this.#unordered.get(sid) ?? [];
    this.#unordered.delete(sid); // the newest are last
    this.#unordered.set(sid, last);
    if (last.push(k) > MOST_UNORDERED) last.shift();
    if (this.#unordered.size > MOST) this.#unordered.delete(this.#unordered.keys().next().value as string);
  }

  /** Whether it, or a later one of its sender, came before. */
  has(origin: Origin): boolean {
    if (origin.effect === RETURNED) return this.#returned.has(origin);
    if (origin.effect === UNORDERED) return this.#unordered.get(origin.sid)?.includes(origin.k) === true;
    // what was stored is behind the sender, whatever came of it
    return (
      this.#isBehind(origin, origin.effect) ||
      (origin.effect === 0 && this.#anyStored && this.#isBehind(origin, STORED))
    );
  }

  #isBehind(origin: Origin, effect: number): boolean {
    const highest = this.#highest.get(keyOf(origin, effect));
    return highest !== undefined && serialDistance(origin.k, highest) <= 0;
  }

  /** For those who come after this process, which is over then: what a node has numbered is not among them. */
  entries(): ReadonlyMap<string, number> {
    this.#entries ??= new Map([...this.#ordered(), ...this.#returned.entries()]);
    return this.#entries;
  }

  *#ordered(): Iterable<[string, number]> {
    for (const [key, k] of this.#highest) yield [key.includes('.') ? key : `${key}.0`, k];
  }
}
