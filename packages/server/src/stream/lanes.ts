import type { Awaitable } from '../pipeline.ts';

/** Work of one lane that waits for what is before it. */
interface Lane {
  readonly waiting: (() => Awaitable<unknown>)[];
}

/**
 * Does what one peer has sent for many: in order for each of them, and nobody waits for anybody else. What fails is the
 * work's own affair.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  #count = 0;
  #idle: (() => void)[] = [];

  /** What was begun and is not done, or waits for its turn. */
  get count(): number {
    return this.#count;
  }

  /** Does it at once where nothing of this lane is under way. The lane is asked for where anything is, or is to be. */
  run(key: () => string, work: () => Awaitable<unknown>): void {
    const lane = this.#count === 0 ? undefined : this.#lanes.get(key());
    if (lane !== undefined) {
      this.#count++;
      lane.waiting.push(work);
      return;
    }
    let begun: unknown;
    try {
      begun = work();
    } catch {
      return;
    }
    if (!(begun instanceof Promise)) return;
    this.#count++;
    const opened: Lane = { waiting: [] };
    const name = key();
    this.#lanes.set(name, opened);
    void this.#follow(name, opened, begun);
  }

  async #follow(key: string, lane: Lane, first: Promise<unknown>): Promise<void> {
    await first.catch(() => {});
    this.#done();
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
      try {
        await next();
      } catch {
        // the work's own affair
      }
      this.#done();
    }
    this.#lanes.delete(key);
  }

  #done(): void {
    this.#count--;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when less is under way than this. */
  async below(most: number): Promise<void> {
    while (this.#count >= most) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
