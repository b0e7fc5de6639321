/** With so much of what may be let in at most it begins, and no less is let in however late the event loop is. */
const LEAST = 1 / 4;

/** It is looked at after so many milliseconds each time, ... */
const LOOK_MS = 100;

/** ... whether the event loop was late for more than this part of them: it is busy then with what is let in already. */
const LATE = 0.1;

/** Then the share is so much of what it was, else it is so much more. */
const SHRINKS = 0.7;
const GROWS = 0.01;

/** After so many milliseconds in which nobody waited it begins anew. */
const REST_MS = 1000;

/**
 * How much of what may be let in at most is let in now: less while the event loop is late, since all who are here wait then. It
 * begins small, grows slowly and shrinks fast, and so comes to rest about where the event loop just has time for everybody.
 * Times are milliseconds of a clock that never goes back.
 */
export class Pace {
  #share = LEAST;
  #at = Number.NEGATIVE_INFINITY;
  #since = 0;
  #late = 0;

  share(now: number): number {
    return now - this.#at > REST_MS ? LEAST : this.#share;
  }

  /** A timer fires that was due so many milliseconds ago. */
  tick(now: number, late: number): void {
    if (now - this.#at > REST_MS) {
      this.#share = LEAST;
      this.#since = now;
      this.#late = 0;
    }
    this.#at = now;
    this.#late += Math.max(0, late);
    const elapsed = now - this.#since;
    if (elapsed < LOOK_MS) return;
    const isLate = this.#late > elapsed * LATE;
    this.#share = isLate ? Math.max(LEAST, this.#share * SHRINKS) : Math.min(1, this.#share + GROWS);
    this.#since = now;
    this.#late = 0;
  }
}
