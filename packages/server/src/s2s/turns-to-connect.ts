/** So many may be at it at the same time; others wait for their turn, first come, first served. */
export class TurnsToConnect {
  readonly #most: () => number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: () => number) {
    this.#most = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#most()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      if (this.#busy < this.#most()) this.#waiting.shift()?.();
    }
  }
}
