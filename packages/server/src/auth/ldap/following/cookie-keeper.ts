import type { Copy } from './copy.ts';

/** Keeps the newest cookie, never before all nodes have dealt with what came before it. */
export class CookieKeeper {
  readonly #copy: Copy;
  readonly #save: (cookie: Buffer) => Promise<void>;
  readonly #failed = new AbortController();
  #next: Buffer | undefined;
  #saving = false;
  #forgotten = false;

  constructor(copy: Copy, save: (cookie: Buffer) => Promise<void>) {
    this.#copy = copy;
    this.#save = save;
  }

  /** Aborted where a cookie could not be kept, with the reason. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  keep(cookie: Buffer): void {
    if (this.#forgotten) return;
    this.#next = cookie;
    if (!this.#saving) void this.#run();
  }

  /** None is to be kept from here on. */
  forget(): void {
    this.#forgotten = true;
    this.#next = undefined;
  }

  async #run(): Promise<void> {
    this.#saving = true;
    try {
      while (this.#next !== undefined) {
        const cookie = this.#next;
        this.#next = undefined;
        await this.#copy.settled();
        if (!this.#forgotten) await this.#save(cookie);
      }
    } catch (error) {
      this.#failed.abort(error);
    } finally {
      this.#saving = false;
    }
  }
}
