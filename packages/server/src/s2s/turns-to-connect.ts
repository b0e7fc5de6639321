import { ConnectionFailure } from './connection-failure.ts';

/** Those who may wait for each of those who are at it. */
const MOST_WAITING = 20;

/** So many may be at it at the same time; others wait for their turn, first come, first served. */
export class TurnsToConnect {
  readonly #most: () => number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: () => number) {
    this.#most = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#most()) await this.#turn();
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      if (this.#busy < this.#most()) this.#waiting.shift()?.();
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#most() * MOST_WAITING) {
      throw new ConnectionFailure('connection', 'Too many streams are being set up.', { timeout: true });
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
