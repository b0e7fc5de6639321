import type { Awaitable } from '../pipeline.ts';

/** Collects what really has to be waited for. */
export class Waits {
  #promises: Promise<void>[] | undefined;

  add(answer: Awaitable<void>): void {
    if (!(answer instanceof Promise)) return;
    this.#promises ??= [];
    this.#promises.push(answer);
  }

  /** Done when all of it is. */
  get all(): Awaitable<void> {
    return this.#promises && Promise.all(this.#promises).then(() => undefined);
  }

  /** The same, as the answer of a handler that took delivery. */
  get taken(): Awaitable<true> {
    return this.#promises === undefined ? true : Promise.all(this.#promises).then(() => true as const);
  }
}
