import { type Bus, EVERY_NODE, type LinkEvent } from '../bus.ts';

/** One process is one node: a frame for this node or for all arrives at once, one for any other has nobody to go to. */
export class EmbeddedBus implements Bus {
  readonly #node: string | undefined;
  readonly #listeners = new Set<(frame: Buffer) => void>();

  constructor(node: string | undefined) {
    this.#node = node;
  }

  publish(node: string, frame: Buffer): Promise<number> {
    const reached = this.#node !== undefined && (node === this.#node || node === EVERY_NODE);
    if (!reached) return Promise.resolve(0);
    for (const listener of this.#listeners) listener(frame);
    return Promise.resolve(this.#listeners.size);
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** There is no link that could go down. */
  onLink(callback: (event: LinkEvent) => void): () => void {
    let wanted = true;
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
    };
  }

  reconnect(): void {}
}
