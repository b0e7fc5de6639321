import { AccountsBusy } from './authenticator.ts';

/** Threads of the pool (four by default) that passwords may use: files and names need one, too. */
const CONCURRENT = 3;
/** About a second of work; whoever comes later had better come again. */
const MOST_WAITING = 256;

/** Derives keys from passwords, a few at a time: the thread pool is everybody's. */
export class PasswordWork {
  readonly #concurrent: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ concurrent = CONCURRENT, mostWaiting = MOST_WAITING } = {}) {
    this.#concurrent = concurrent;
    this.#mostWaiting = mostWaiting;
  }

  /** Runs the work when its turn has come. Throws AccountsBusy where too much waits already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#concurrent) this.#running++;
    else if (this.#waiting.length >= this.#mostWaiting) throw new AccountsBusy();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // takes over the place of one that ends
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
