import type { Stream } from './stream.ts';

/** All streams of this node that are open, with those that have not authenticated yet, the oldest first. */
export class Streams {
  readonly #all = new Set<Stream>();
  readonly #unauthenticated = new Set<Stream>();

  add(stream: Stream): void {
    this.#all.add(stream);
    this.#unauthenticated.add(stream);
  }

  authenticated(stream: Stream): void {
    this.#unauthenticated.delete(stream);
  }

  remove(stream: Stream): void {
    this.#all.delete(stream);
    this.#unauthenticated.delete(stream);
  }

  get size(): number {
    return this.#all.size;
  }

  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

  get oldestUnauthenticated(): Stream | undefined {
    return this.#unauthenticated.values().next().value;
  }

  [Symbol.iterator](): IterableIterator<Stream> {
    return this.#all.values();
  }
}
