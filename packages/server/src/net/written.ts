/** What goes out in one write, put together piece by piece. */
export class Written {
  #text = '';

  /** All that was added so far. */
  get text(): string {
    return this.#text;
  }

  /** In characters. */
  get length(): number {
    return this.#text.length;
  }

  add(text: string): void {
    this.#text += text;
  }
}
