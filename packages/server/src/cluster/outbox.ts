/** From here on the places of items that are gone are given back. */
const MOST_GONE = 1024;

/** What an item costs on its way beside its bytes, about: many empty ones are not for nothing either. */
const cost = (item: Buffer) => item.length + 8;

/**
 * Items for one peer that it has not acknowledged, numbered from 1. Those before the cursor are on their way, those after
 * it wait.
 */
export class Outbox {
  #items: (Buffer | undefined)[] = [];
  /** Number of the item at place 0 of the list. */
  #base = 1;
  /** Place of the first one that is not acknowledged. */
  #head = 0;
  /** Place of the one that goes out next. */
  #cursor = 0;
  /** Places before this one have been sent at least once. */
  #sent = 0;
  #bytes = 0;
  #inFlight = 0;

  /** Of all items in it. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  /** The number that goes out next. */
  get next(): number {
    return this.#base + this.#cursor;
  }

  /** The number of the last one that has gone out, be it once or more often. */
  get latest(): number {
    return this.#base + this.#sent - 1;
  }

  push(item: Buffer): void {
    this.#items.push(item);
    this.#bytes += item.length;
  }

  /**
   * What the next frame takes: items until they are `most` bytes together, one at least, and none beyond `window` bytes on
   * their way, unless nothing else is.
   */
  take(most: number, window: number): Buffer[] {
    const items = this.#items;
    const taken: Buffer[] = [];
    let size = 0;
    while (this.#cursor < items.length) {
      const item = items[this.#cursor] as Buffer;
      if (taken.length > 0 && size + cost(item) > most) break;
      if (this.#inFlight > 0 && this.#inFlight + cost(item) > window) break;
      taken.push(item);
      size += cost(item);
      this.#inFlight += cost(item);
      this.#cursor++;
    }
    if (this.#cursor > this.#sent) this.#sent = this.#cursor;
    return taken;
  }

  /** Whether `count` items, from the first one on, can have arrived. */
  canHave(count: number): boolean {
    return count < this.#base + this.#sent;
  }

  /** The peer has the first `count` items. False where that is nothing new. */
  acknowledge(count: number): boolean {
    const end = count + 1 - this.#base;
    if (end <= this.#head) return false;
    for (let place = this.#head; place < end; place++) {
      const item = this.#items[place] as Buffer;
      this.#bytes -= item.length;
      if (place < this.#cursor) this.#inFlight -= cost(item);
      this.#items[place] = undefined;
    }
    this.#head = end;
    if (this.#cursor < end) this.#cursor = end;
    this.#forget();
    return true;
  }

  /** Everything that is not acknowledged goes out once more. */
  rewind(): void {
    this.#cursor = this.#head;
    this.#inFlight = 0;
  }

  #forget(): void {
    const gone = this.#head;
    if (gone === this.#items.length) this.#items.length = 0;
    else if (gone >= MOST_GONE && gone * 2 >= this.#items.length) this.#items = this.#items.slice(gone);
    else return;
    this.#base += gone;
    this.#head = 0;
    this.#cursor -= gone;
    this.#sent -= gone;
  }
}
