/** Notifications: whoever listens only learns that something happened. What a listener throws is reported, never felt. */
export class Events<Map extends Record<keyof Map, readonly unknown[]>> {
  readonly #listeners = new globalThis.Map<keyof Map, ((...args: never[]) => void | Promise<void>)[]>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  on<Name extends keyof Map>(name: Name, listener: (...args: Map[Name]) => void | Promise<void>): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, [listener]);
    else listeners.push(listener);
  }

  emit<Name extends keyof Map>(name: Name, ...args: Map[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        const answer = (listener as (...args: Map[Name]) => void | Promise<void>)(...args);
        if (answer instanceof Promise) answer.catch(this.#onError);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
