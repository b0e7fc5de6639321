export interface TurnLimits {
  /** Turns in a second; Infinity where nobody waits. */
  readonly perSecond: number;
  /** Whoever would wait longer than that for its turn is not let in. */
  readonly maxWaitSeconds: number;
}

interface Waiting {
  readonly since: number;
  resolve(): void;
}

/** Turns that are taken at once after a while in which there were few: those of so many milliseconds. */
const BURST_MS = 250;

/** Gives turns at a rate, in the order in which they were asked for. Times are milliseconds of one clock. */
export class TurnQueue<Key> {
  readonly #limits: () => TurnLimits;
  readonly #waiting = new Map<Key, Waiting>();
  #turns = Number.POSITIVE_INFINITY;
  #at = 0;
  onWaited: ((ms: number) => void) | undefined;

  constructor(limits: () => TurnLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Undefined where it is its turn at once; resolves when it is, or when it has left. */
  enter(key: Key, now: number): Promise<void> | 'full' | undefined {
    const { perSecond, maxWaitSeconds } = this.#limits();
    if (perSecond === Number.POSITIVE_INFINITY) return undefined;
    if (this.size === 0) {
      this.#refill(perSecond, now - this.#at, now);
      if (this.#turns >= 1) {
        this.#turns--;
        return undefined;
      }
    }
    if (this.size >= perSecond * maxWaitSeconds) return 'full';
    return new Promise((resolve) => this.#waiting.set(key, { since: now, resolve }));
  }

  #refill(perSecond: number, elapsed: number, now: number): void {
    this.#at = now;
    if (perSecond === Number.POSITIVE_INFINITY) {
      this.#turns = perSecond;
      return;
    }
    const most = Math.max(1, (perSecond * BURST_MS) / 1000);
    this.#turns = Math.min(most, this.#turns + (perSecond * elapsed) / 1000);
  }

  /**
   * Lets in whoever's turn it is by now. Time beyond `longest` milliseconds since the last call does not count: where the
   * process has more to do than it can, the queue is slower, and nothing is made up for.
   */
  serve(now: number, longest: number): void {
    this.#refill(this.#limits().perSecond, Math.min(longest, now - this.#at), now);
    for (const [key, { since, resolve }] of this.#waiting) {
      if (this.#turns < 1) return;
      this.#turns--;
      this.#waiting.delete(key);
      this.onWaited?.(now - since);
      resolve();
    }
  }

  /** It does not wait any more. */
  leave(key: Key): void {
    this.#waiting.get(key)?.resolve();
    this.#waiting.delete(key);
  }
}
