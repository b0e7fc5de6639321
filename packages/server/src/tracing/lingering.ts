/** Something that waits for its end. */
interface Waiting {
  /** Its place among those that wait; -1 where it does not. */
  lingers: number;
  expire(): void;
}

/** A client that does not read keeps what is written to it from being over. */
const LONGEST_MS = 10_000;

/**
 * Traces whose stanza is done with, but not written yet, with one timer for all. In an array, each knowing its place: what
 * was once in a Set stays in memory with all that came after it, from one collection of the whole heap to the next.
 */
export class Lingering {
  readonly #all: Waiting[] = [];
  /** Since when, by `performance.now()`. */
  readonly #since: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  add(waiting: Waiting): void {
    waiting.lingers = this.#all.length;
    this.#all.push(waiting);
    this.#since.push(performance.now());
    this.#timer ??= setTimeout(() => this.#sweep(), LONGEST_MS).unref();
  }

  delete(waiting: Waiting): void {
    const at = waiting.lingers;
    if (at === -1) return;
    waiting.lingers = -1;
    const last = this.#all.pop() as Waiting;
    const since = this.#since.pop() as number;
    if (last === waiting) return;
    last.lingers = at;
    this.#all[at] = last;
    this.#since[at] = since;
  }

  #sweep(): void {
    this.#timer = undefined;
    const before = performance.now() - LONGEST_MS;
    // whoever expires takes himself away
    for (const each of this.#all.filter((_, at) => (this.#since[at] as number) <= before)) each.expire();
    if (this.#all.length > 0) this.#timer = setTimeout(() => this.#sweep(), LONGEST_MS / 10).unref();
  }
}
