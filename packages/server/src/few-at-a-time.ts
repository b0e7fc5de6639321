export interface FewAtATimeOptions {
  /** So many; asked each time. */
  readonly most: () => number;
  /** More do not wait; any number does where it is left out. */
  readonly mostWaiting?: number;
  /** What whoever comes then is told. */
  readonly full?: () => Error;
}

/** Does a few pieces of work at a time: others wait for their turn, first come, first served. */
export class FewAtATime {
  readonly #options: FewAtATimeOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(options: FewAtATimeOptions) {
    this.#options = options;
  }

  /** Runs the work when its turn has come. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { most, mostWaiting = Number.POSITIVE_INFINITY, full } = this.#options;
    if (this.#running < most()) this.#running++;
    else if (this.#waiting.length >= mostWaiting) throw full?.() ?? new Error('Too much waits already.');
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)); // its place is kept from when it is called
    try {
      return await work();
    } finally {
      this.#running--;
      while (this.#running < most()) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#running++;
        next();
      }
    }
  }
}
