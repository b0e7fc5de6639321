import { Pending } from './pending.ts';

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

  emit<Name extends keyof Names>(name: Name, ...args: Names[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) void this.#call(listener, args);
  }

  /** The same, and resolves when all who listen are done with it. */
  async tell<Name extends keyof Names>(name: Name, ...args: Names[Name]): Promise<void> {
    await Promise.all((this.#listeners.get(name) ?? []).map((listener) => this.#call(listener, args)));
  }

  #call(listener: (...args: never) => void | Promise<void>, args: readonly unknown[]): Promise<void> | undefined {
    try {
      const answer = (listener as (...args: readonly unknown[]) => void | Promise<void>)(...args);
      if (!(answer instanceof Promise)) return undefined;
      const done = answer.catch(this.#onError);
      this.#pending.add(done);
      return done;
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
