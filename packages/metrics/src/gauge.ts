/** A number that goes up and down. */
export class Gauge {
  #value = 0;
  #read: (() => number) | undefined;

  increment(): void {
    this.#value++;
  }

  /** Adds `amount`, which may be negative. */
  add(amount: number): void {
    this.#value += amount;
  }

  set(value: number): void {
    this.#value = value;
  }

  /** Takes the value from `read` from now on, at the moment when somebody looks. */
  observe(read: () => number): void {
    this.#read = read;
  }

  get value(): number {
    return this.#read === undefined ? this.#value : this.#read();
  }
}
