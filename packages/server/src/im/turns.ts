/**
 * Lets one piece of long work go on in each turn of the event loop, in the order in which they came: however many have
 * something long to do at the same time, a turn does not get longer, and all else gets its time in between.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) setImmediate(() => this.#give());
    });
  }

  #give(): void {
    const first = this.#waiting.shift();
    first?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#give());
  }
}
