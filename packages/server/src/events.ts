import { Pending } from './pending.ts';
import type { Awaitable } from './pipeline.ts';

/** Notifications: whoever listens only learns that something happened. What a listener throws is reported, never felt. */
export class Events<Names extends Record<keyof Names, readonly unknown[]>> {
  readonly #listeners = new Map<keyof Names, ((...args: never) => void | Promise<void>)[]>();
  readonly #onError: (error: unknown) => void;
  readonly #pending: Pending;

  constructor(onError: (error: unknown) => void, pending = new Pending()) {
    this.#onError = onError;
    this.#pending = pending;
  }

  on<Name extends keyof Names>(name: Name, listener: (...args: Names[Name]) => void | Promise<void>): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, [listener]);
    else listeners.push(listener);
  }

  /** The promise, if there is one, resolves when all who listen are done with it. */
  emit<Name extends keyof Names>(name: Name, ...args: Names[Name]): Awaitable<void> {
    let waits: Promise<void>[] | undefined;
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const answer = (listener as unknown as (...args: Names[Name]) => void | Promise<void>)(...args);
        if (!(answer instanceof Promise)) continue;
        const done = answer.catch(this.#onError);
        this.#pending.add(done);
        waits ??= [];
        waits.push(done);
      } catch (error) {
        this.#onError(error);
      }
    }
    return waits && Promise.all(waits).then(() => undefined);
  }
}
