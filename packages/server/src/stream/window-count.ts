const MOST_KEYS = 100_000;

interface Count {
  times: number;
  /** Milliseconds of a clock that never goes back. */
  readonly until: number;
}

/** How often something happened, by key, in a window that begins with the first time. Bounded: the oldest go first. */
export class WindowCount {
  readonly #counts = new Map<string, Count>();
  readonly #mostKeys: number;

  constructor(mostKeys = MOST_KEYS) {
    this.#mostKeys = mostKeys;
  }

  get size(): number {
    return this.#counts.size;
  }

  of(key: string, now: number): number {
    const count = this.#counts.get(key);
    return count === undefined || count.until <= now ? 0 : count.times;
  }

  /** Counts one more and says how many there are. */
  add(key: string, windowMs: number, now: number): number {
    const count = this.#counts.get(key);
    if (count !== undefined && count.until > now) return ++count.times;
    this.#counts.delete(key); // what begins anew stands last
    this.#forgetOldest(now);
    this.#counts.set(key, { times: 1, until: now + windowMs });
    return 1;
  }

  delete(key: string): void {
    this.#counts.delete(key);
  }

  #forgetOldest(now: number): void {
    for (const [key, { until }] of this.#counts) {
      if (until > now && this.#counts.size < this.#mostKeys) return;
      this.#counts.delete(key);
    }
  }
}
