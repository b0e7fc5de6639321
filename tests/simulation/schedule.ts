import type { Random } from './random.ts';

type Action = (first: unknown, second: unknown) => void;

/** What could happen next, each with its weight. One of them is drawn and happens; then all is offered anew. */
export class Schedule {
  readonly #weights: number[] = [];
  readonly #actions: Action[] = [];
  readonly #firsts: unknown[] = [];
  readonly #seconds: unknown[] = [];
  #length = 0;
  #total = 0;

  clear(): void {
    this.#length = 0;
    this.#total = 0;
  }

  offer<A, B = undefined>(weight: number, action: (first: A, second: B) => void, first: A, second?: B): void {
    const at = this.#length++;
    this.#weights[at] = weight;
    this.#actions[at] = action as Action;
    this.#firsts[at] = first;
    this.#seconds[at] = second;
    this.#total += weight;
  }

  /** Lets one thing happen; false where nothing was offered. */
  happen(random: Random): boolean {
    if (this.#length === 0) return false;
    let left = random.next() * this.#total;
    let at = 0;
    while (at < this.#length - 1) {
      left -= this.#weights[at] as number;
      if (left <= 0) break;
      at++;
    }
    (this.#actions[at] as Action)(this.#firsts[at], this.#seconds[at]);
    return true;
  }
}
