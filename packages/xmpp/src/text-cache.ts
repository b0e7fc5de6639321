/**
 * Remembers values by text in bounded memory: two generations of at most `entries` each; when the young one is full it
 * becomes the old one, whose place what is asked for again regains. Texts longer than `textLength` are not kept.
 */
export class TextCache<Value> {
  #young = new Map<string, Value>();
  #old = new Map<string, Value>();
  readonly #entries: number;
  readonly #textLength: number;

  constructor({ entries, textLength }: { entries: number; textLength: number }) {
    this.#entries = entries;
    this.#textLength = textLength;
  }

  get(text: string): Value | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  set(text: string, value: Value): void {
    if (text.length > this.#textLength) return;
    if (this.#young.size >= this.#entries) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
