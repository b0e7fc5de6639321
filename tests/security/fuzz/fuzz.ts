import { KINDS, type Mutation, mutate, splice } from '../mutation.ts';
import type { Coverage } from './coverage.ts';
import type { Random } from './random.ts';

export interface Target {
  /** Throws, or rejects, where the input brings out a fault. */
  run(input: Buffer): void | Promise<void>;
}

/** Inputs between two looks at the coverage, which cost more than an input does. */
const BATCH = 64;
const LONGEST = 4096;

/** Runs the corpus and then what becomes of it by chance, until `more` says no. Keeps what reaches something new. */
export class Fuzzer {
  readonly corpus: Buffer[];
  /** What was kept beside the corpus that was given. */
  readonly found: Buffer[] = [];
  inputs = 0;
  readonly #target: Target;
  readonly #coverage: Coverage;
  readonly #random: Random;

  constructor(target: Target, corpus: readonly Buffer[], coverage: Coverage, random: Random) {
    this.#target = target;
    this.corpus = [...corpus];
    this.#coverage = coverage;
    this.#random = random;
  }

  async run(more: (inputs: number) => boolean): Promise<void> {
    for (const input of this.corpus) await this.#try(input);
    this.#coverage.grown();
    while (more(this.inputs)) {
      const batch = Array.from({ length: BATCH }, () => this.#mutant());
      for (const input of batch) await this.#try(input);
      const fresh = this.#coverage.grown();
      if (fresh.size > 0) await this.#keepFrom(batch, fresh);
    }
  }

  /** Keeps those of a batch that reach, each alone, what nothing reached before it. */
  async #keepFrom(batch: readonly Buffer[], fresh: Set<string>): Promise<void> {
    this.#coverage.reached(fresh);
    for (const input of batch) {
      await this.#try(input);
      const reached = this.#coverage.reached(fresh);
      if (reached.size === 0) continue;
      for (const block of reached) fresh.delete(block);
      this.corpus.push(input);
      this.found.push(input);
    }
  }

  #mutant(): Buffer {
    const random = this.#random;
    let input = random.pick(this.corpus);
    if (random.below(4) === 0)
      input = splice(input, random.pick(this.corpus), random.below(LONGEST), random.below(LONGEST));
    const changes = Array.from(
      { length: 1 + random.below(4) },
      (): Mutation => ({ kind: random.pick(KINDS), at: random.below(LONGEST), what: random.below(1 << 20) }),
    );
    return mutate(input, changes).subarray(0, LONGEST);
  }

  async #try(input: Buffer): Promise<void> {
    this.inputs++;
    try {
      await this.#target.run(input);
    } catch (cause) {
      throw new Error(`This input brings out a fault: ${JSON.stringify(input.toString('latin1'))}`, { cause });
    }
  }
}
