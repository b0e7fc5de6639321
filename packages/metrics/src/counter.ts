/** A number that only grows while the process lives. Adding costs a few nanoseconds and allocates nothing. */
export class Counter {
  #value = 0;
  #read: (() => number) | undefined;

  increment(): void {
    this.#value++;
  }

  /** Adds `amount`, which is never negative. */
  add(amount: number): void {
    this.#value += amount;
  }

  /** Takes the value from `read` from now on, where something else already counts. */
  observe(read: () => number): void {
    this.#read = read;
  }

  get value(): number {
    return this.#read === undefined ? this.#value : this.#read();
  }
}
