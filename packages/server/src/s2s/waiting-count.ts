/** What waits in several places together. */
export interface Together {
  bytes: number;
  stanzas: number;
}

/** What a stanza takes in memory beside its text, about. */
const BESIDE = 200;

/** About what a stanza takes in memory. */
export const weight = (text: string): number => text.length + BESIDE;

/** How much waits in one place, which is a part of what waits in several. */
export class WaitingCount {
  readonly #together: Together;
  #size = 0;
  #bytes = 0;

  constructor(together: Together) {
    this.#together = together;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So many stanzas, and so many characters of theirs. */
  set(size: number, characters: number): void {
    const bytes = characters + size * BESIDE;
    this.#together.stanzas += size - this.#size;
    this.#together.bytes += bytes - this.#bytes;
    this.#size = size;
    this.#bytes = bytes;
  }
}
