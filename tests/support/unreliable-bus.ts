import { KeyspaceError } from '@parley/keyspace/keyspace-error';

interface Listener {
  receive: (frame: Buffer) => void;
  up: boolean;
}

/** A bus on which frames move when a test says so, and are lost, or overtaken, when it wants that. */
export class UnreliableBus {
  readonly #listeners = new Map<string, Listener>();
  readonly #onTheirWay: { from: string; to: string; frame: Buffer }[] = [];
  /** How many were published, by all. */
  published = 0;

  join(id: string, receive: (frame: Buffer) => void): void {
    this.#listeners.set(id, { receive, up: true });
  }

  leave(id: string): void {
    this.#listeners.delete(id);
  }

  /** While its link is down a member can publish nothing, and what is on its way to it is lost. */
  link(id: string, up: boolean): void {
    const listener = this.#listeners.get(id);
    if (listener) listener.up = up;
    if (up) return;
    for (let place = this.#onTheirWay.length - 1; place >= 0; place--) {
      if (this.#onTheirWay[place]?.to === id) this.#onTheirWay.splice(place, 1);
    }
  }

  publish(from: string, to: string, frame: Buffer): Promise<number> {
    if (!this.#listeners.get(from)?.up) return Promise.reject(new KeyspaceError('away', 'The link is down.'));
    this.published++;
    if (!this.#listeners.get(to)?.up) return Promise.resolve(0);
    this.#onTheirWay.push({ from, to, frame });
    return Promise.resolve(1);
  }

  /** How many frames are on their way. */
  get size(): number {
    return this.#onTheirWay.length;
  }

  /** The oldest frame of one direction arrives, or `overtaking` as many before it. */
  deliver(from: string, to: string, overtaking = 0): void {
    const frame = this.drop(from, to, overtaking);
    if (frame !== undefined) this.#listeners.get(to)?.receive(frame);
  }

  /** The same frame is lost. */
  drop(from: string, to: string, overtaking = 0): Buffer | undefined {
    const way = this.#onTheirWay.filter((frame) => frame.from === from && frame.to === to);
    const [taken] = way.slice(Math.min(overtaking, way.length - 1));
    if (taken === undefined) return undefined;
    this.#onTheirWay.splice(this.#onTheirWay.indexOf(taken), 1);
    return taken.frame;
  }

  deliverAll(): void {
    for (let next = this.#onTheirWay[0]; next; next = this.#onTheirWay[0]) this.deliver(next.from, next.to);
  }
}
