import type { FaultKind } from './faults.ts';
import type { Random } from './random.ts';

/**
 * Which fault comes next: every kind as often in a round as its weight says, in an order that follows from the seed. One
 * that loses a node waits while what was broken before still settles.
 */
export class FaultSchedule {
  readonly #kinds: readonly FaultKind[];
  readonly #random: Random;
  #round: FaultKind[] = [];
  #settledAt = 0;

  constructor(kinds: readonly FaultKind[], random: Random) {
    this.#kinds = kinds;
    this.#random = random;
  }

  /** Undefined where nothing may be broken right now. */
  next(now: number): FaultKind | undefined {
    if (this.#round.length === 0) {
      this.#round = this.#random.shuffle(this.#kinds.flatMap((kind) => Array<FaultKind>(kind.weight).fill(kind)));
    }
    const index = this.#round.findIndex(({ losesNode }) => !losesNode || now >= this.#settledAt);
    return index < 0 ? undefined : this.#round.splice(index, 1)[0];
  }

  /** This fault is over. */
  over({ settle = 0 }: FaultKind, now: number): void {
    this.#settledAt = Math.max(this.#settledAt, now + settle);
  }
}
