import { type Fate, type JournalCounts, NO_COUNTS } from './journal-counts.ts';

/** What all journals of a node have counted since it began. */
export type Tally = { -readonly [Name in keyof JournalCounts]: number };

/** What the owner of a journal counts: of an entry that it is rid of when the keyspace is, too. */
export class Counting {
  readonly #tally: Tally;
  readonly #counts: Tally;
  /** Of entries at the head of the journal, which go when it is trimmed. */
  readonly #trimming: Tally = { ...NO_COUNTS };
  /** Of others, which go when it is written anew. */
  readonly #removing: Tally = { ...NO_COUNTS };

  constructor(tally: Tally, counts: JournalCounts = NO_COUNTS) {
    this.#tally = tally;
    this.#counts = { ...counts };
  }

  /** The journal gets so many more. */
  enter(number: number): void {
    this.#counts.entered += number;
    this.#tally.entered += number;
  }

  trim(fate: Fate): void {
    this.#trimming[fate]++;
    this.#tally[fate]++;
  }

  remove(fate: Fate, number: number): void {
    this.#removing[fate] += number;
    this.#tally[fate] += number;
  }

  /** As the journal is where nothing is let go of. */
  get kept(): JournalCounts {
    return this.#counts;
  }

  /** As it is once it is trimmed. */
  trimmed(): JournalCounts {
    return this.#settle(this.#trimming);
  }

  /** As it is once it is written anew; a copy. */
  rewritten(): JournalCounts {
    this.#settle(this.#trimming);
    return { ...this.#settle(this.#removing) };
  }

  #settle(pending: Tally): JournalCounts {
    const counts = this.#counts;
    counts.delivered += pending.delivered;
    counts.moved += pending.moved;
    counts.bounced += pending.bounced;
    pending.delivered = 0;
    pending.moved = 0;
    pending.bounced = 0;
    return counts;
  }
}
