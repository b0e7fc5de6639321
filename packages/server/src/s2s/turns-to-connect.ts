import { ConnectionFailure } from './connection-failure.ts';

/** So many may be at it at the same time; others wait for their turn, first come, first served. */
export class TurnsToConnect {
  readonly #most: () => number;
  readonly #mostWaiting: number;
  #busy = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: () => number, mostWaiting = Number.POSITIVE_INFINITY) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
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
    if (this.#waiting.length >= this.#mostWaiting) {
      throw new ConnectionFailure('connection', 'Too many streams are being set up.', { timeout: true });
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
