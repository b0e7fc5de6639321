/** Counts what was begun and is not done yet. */
export class Pending {
  #count = 0;
  #waiting: (() => void)[] = [];

  add(work: Promise<unknown>): void {
    this.#count++;
    const done = () => {
      if (--this.#count > 0) return;
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    work.then(done, done);
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when nothing is pending; more may begin in the same turn. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
