/** Who speaks. */
interface Speaker {
  readonly impatient: boolean;
}

/**
 * Lets the clients of several nodes speak one after the other: what one of them has said has had all its effect, on
 * every node, before another one is heard. On a single node it is like that by itself. Whoever is impatient does not
 * wait for that, and is heard behind those who spoke before all the same.
 */
export class Floor implements Disposable {
  #speaker: Speaker | undefined;
  readonly #waiting: { readonly speaker: Speaker; readonly speak: () => void }[] = [];
  #running = Promise.resolve();
  #closed = false;
  readonly #quiet: () => Promise<void>;

  /** `quiet` resolves when all that was begun is done. */
  constructor(quiet: () => Promise<void>) {
    this.#quiet = quiet;
  }

  /** Speaks in this turn where the speaker has the floor, else as soon as it is theirs. */
  take(speaker: Speaker, speak: () => void): void {
    if (this.#waiting.length === 0 && (speaker === this.#speaker || speaker.impatient)) {
      this.#speaker = speaker;
      speak();
      return;
    }
    this.#waiting.push({ speaker, speak });
    if (this.#waiting.length === 1) this.#running = this.#run();
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { speaker, speak } = next;
      if (speaker !== this.#speaker && !speaker.impatient) await this.#untilQuiet();
      if (this.#closed) return;
      this.#speaker = speaker;
      speak();
      this.#waiting.shift();
    }
  }

  async #untilQuiet(): Promise<void> {
    try {
      await this.#quiet();
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  /** Resolves when everybody was heard and all that came of it is done. */
  async settled(): Promise<void> {
    while (this.#waiting.length > 0) await this.#running;
    await this.#quiet();
  }

  /** Nobody is heard any more. */
  [Symbol.dispose](): void {
    this.#closed = true;
  }
}
