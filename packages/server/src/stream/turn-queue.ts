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

/** While there are those who go first, the others have one turn of so many. */
const OTHERS_ONE_OF = 4;

/**
 * Gives turns at a rate, in the order in which they were asked for; some go first, if not so much that the others get no
 * turns at all. Times are milliseconds of one clock.
 */
export class TurnQueue<Key> {
  readonly #limits: () => TurnLimits;
  readonly #share: (now: number) => number;
  readonly #first = new Map<Key, Waiting>();
  readonly #others = new Map<Key, Waiting>();
  /** Turns that were given while both had somebody waiting. */
  #shared = 0;
  #turns = Number.POSITIVE_INFINITY;
  #at = 0;
  onWaited: ((ms: number) => void) | undefined;

  /** `share` is how much of the rate there is just now: 1 at most. It makes nobody be turned away. */
  constructor(limits: () => TurnLimits, share: (now: number) => number = () => 1) {
    this.#limits = limits;
    this.#share = share;
  }

  get size(): number {
    return this.#first.size + this.#others.size;
  }

  /**
   * Undefined where it is its turn at once; resolves when it is, or when it has left. Whoever goes first finds a place
   * however many others wait.
   */
  enter(key: Key, now: number, goesFirst = () => false): Promise<void> | 'full' | undefined {
    const { perSecond, maxWaitSeconds } = this.#limits();
    if (perSecond === Number.POSITIVE_INFINITY) return undefined;
    if (this.size === 0) {
      this.#refill(perSecond, now - this.#at, now);
      if (this.#turns >= 1) {
        this.#turns--;
        return undefined;
      }
    }
    const first = goesFirst();
    if ((first ? this.#first.size : this.size) >= perSecond * maxWaitSeconds) return 'full';
    return new Promise((resolve) => (first ? this.#first : this.#others).set(key, { since: now, resolve }));
  }

  #refill(perSecond: number, elapsed: number, now: number): void {
    this.#at = now;
    if (perSecond === Number.POSITIVE_INFINITY) {
      this.#turns = perSecond;
      return;
    }
    const rate = perSecond * this.#share(now);
    const most = Math.max(1, (rate * BURST_MS) / 1000);
    this.#turns = Math.min(most, this.#turns + (rate * elapsed) / 1000);
  }

  /**
   * Lets in whoever's turn it is by now. Time beyond `longest` milliseconds since the last call does not count: where the
   * process has more to do than it can, the queue is slower, and nothing is made up for.
   */
  serve(now: number, longest: number): void {
    this.#refill(this.#limits().perSecond, Math.min(longest, now - this.#at), now);
    while (this.size > 0 && this.#turns >= 1) {
      const waiting = this.#next();
      for (const [key, { since, resolve }] of waiting) {
        this.#turns--;
        waiting.delete(key);
        this.onWaited?.(now - since);
        resolve();
        break;
      }
    }
  }

  /** Of whom it is the turn. */
  #next(): Map<Key, Waiting> {
    if (this.#first.size === 0) return this.#others;
    if (this.#others.size === 0) return this.#first;
    return ++this.#shared % OTHERS_ONE_OF === 0 ? this.#others : this.#first;
  }

  /** It does not wait any more. */
  leave(key: Key): void {
    for (const waiting of [this.#first, this.#others]) {
      waiting.get(key)?.resolve();
      waiting.delete(key);
    }
  }
}
