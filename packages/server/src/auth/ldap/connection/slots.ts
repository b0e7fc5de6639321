import { DirectoryAway } from '../directory-error.ts';

/** So many at a time; who comes later waits in line. */
export class Slots {
  readonly #size: number;
  readonly #line = new Set<() => void>();
  #taken = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /** Waits for a slot; whoever has it gives it back. Throws DirectoryAway where none gets free before `signal` aborts. */
  take(signal: AbortSignal): Promise<void> | undefined {
    if (this.#taken < this.#size) {
      this.#taken++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#line.delete(onTurn);
        signal.removeEventListener('abort', onAbort);
      };
      const onTurn = () => {
        leave();
        resolve();
      };
      const onAbort = () => {
        leave();
        // The server may be well: it is only asked too much.
        reject(new DirectoryAway('No connection to the server gets free in time.', { crowded: true }));
      };
      this.#line.add(onTurn);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
    });
  }

  giveBack(): void {
    const [next] = this.#line;
    if (next === undefined) this.#taken--;
    else next();
  }
}
