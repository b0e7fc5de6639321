import type { Stream } from './stream.ts';

/**
 * All streams of this node that are open, with those that have not authenticated yet, the oldest first; and those that
 * are over while their connection is not gone yet.
 */
export class Streams {
  readonly #open = new Set<Stream>();
  readonly #unauthenticated = new Set<Stream>();
  readonly #closing = new Set<Stream>();
  #waiting: (() => void)[] = [];

  add(stream: Stream): void {
    this.#open.add(stream);
    this.#unauthenticated.add(stream);
  }

  authenticated(stream: Stream): void {
    this.#unauthenticated.delete(stream);
  }

  /** It is over. */
  remove(stream: Stream): void {
    if (this.#open.delete(stream)) this.#closing.add(stream);
    this.#unauthenticated.delete(stream);
  }

  /** Its connection is gone. */
  disconnected(stream: Stream): void {
    this.#closing.delete(stream);
    if (this.connected > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  get size(): number {
    return this.#open.size;
  }

  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

  get oldestUnauthenticated(): Stream | undefined {
    return this.#unauthenticated.values().next().value;
  }

  /** Connections, those among them whose stream is over. */
  get connected(): number {
    return this.#open.size + this.#closing.size;
  }

  get closing(): IterableIterator<Stream> {
    return this.#closing.values();
  }

  /** Resolves when no connection is left. */
  gone(): Promise<void> {
    if (this.connected === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  [Symbol.iterator](): IterableIterator<Stream> {
    return this.#open.values();
  }
}
