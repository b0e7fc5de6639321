export interface Rate {
  /** What comes back in a second; Infinity for no limit. */
  readonly perSecond: number;
  /** What may be taken at once. */
  readonly burst: number;
}

/** A rate with a burst: never more than `perSecond * t + burst` is taken in any time t, by a clock that never goes back. */
export class TokenBucket {
  #level: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#level = rate.burst;
    this.#at = now;
  }

  /**
   * Takes what already came, and answers how many milliseconds to wait before more is read: 0 while it is within the
   * rate.
   */
  take(amount: number, rate: Rate, now: number): number {
    if (rate.perSecond === Number.POSITIVE_INFINITY) return 0;
    if (now > this.#at) {
      this.#level = Math.min(rate.burst, this.#level + ((now - this.#at) / 1000) * rate.perSecond);
      this.#at = now;
    }
    this.#level -= amount;
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level / rate.perSecond) * 1000);
  }
}
