import type { KeyspaceState, StateListener } from './keyspace.ts';
import type { KeyspaceError } from './keyspace-error.ts';

/** Whether the keyspace works, and who wants to know. */
export class Trouble {
  readonly #listeners = new Set<StateListener>();
  #reason: KeyspaceError | undefined;

  get state(): KeyspaceState {
    return this.#reason ? 'down' : 'up';
  }

  get reason(): KeyspaceError | undefined {
    return this.#reason;
  }

  set(reason: KeyspaceError | undefined): void {
    const before = this.state;
    this.#reason = reason;
    if (this.state === before) return;
    for (const listener of this.#listeners) listener(this.state, reason);
  }

  listen(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
