import { EVERY_NODE, type LinkEvent } from '@parley/keyspace/bus';
import { Trouble } from '@parley/keyspace/trouble';
import type { Process, SimulatedClock } from './clock.ts';
import { SimulatedLink } from './link.ts';
import type { Random } from './random.ts';
import { shardOfChannel } from './shards.ts';
import type { SimulatedStore } from './store.ts';

/** One node's links to all shards of the store: the store is there for it where all are up (see decision 24). */
export class SimulatedLinks {
  readonly all: readonly SimulatedLink[];
  readonly trouble = new Trouble();
  readonly #frameListeners = new Set<(frame: Buffer) => void>();
  readonly #linkListeners = new Set<(event: LinkEvent) => void>();
  /** As the listeners know. */
  #isUp = true;

  /** `channel` is the node's own, by which frames come. */
  constructor(store: SimulatedStore, clock: SimulatedClock, process: Process, channel: string) {
    const { shards } = store;
    this.all = Array.from({ length: shards }, (_, shard) => {
      const heard = [channel, EVERY_NODE].filter((each) => shardOfChannel(each, shards) === shard);
      return new SimulatedLink(store, shard, {
        clock,
        process,
        hears: (name) => heard.includes(name),
        onFrame: (frame) => this.#onFrame(frame),
        onDown: () => this.#onChange(false),
        onUp: (storeChanged) => this.#onChange(storeChanged),
      });
    });
  }

  get up(): boolean {
    return this.all.every((link) => link.up);
  }

  get idle(): boolean {
    return this.all.every((link) => link.idle);
  }

  onFrame(listener: (frame: Buffer) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  reconnect(reason: string): void {
    for (const link of this.all) link.reconnect(reason);
  }

  close(): void {
    for (const link of this.all) link.close();
  }

  /** The node is killed. */
  kill(random: Random): void {
    for (const link of this.all) link.kill(random);
  }

  #onFrame(frame: Buffer): void {
    for (const listener of this.#frameListeners) listener(frame);
  }

  /** Whoever hears that all is well again has to know by then that it is another store. */
  #onChange(storeChanged: boolean): void {
    if (storeChanged) this.#tell('storeChanged');
    const reason = this.all.find((link) => link.reason !== undefined)?.reason;
    this.trouble.set(reason);
    const isUp = reason === undefined;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.#tell(isUp ? 'up' : 'down');
  }

  #tell(event: LinkEvent): void {
    for (const listener of this.#linkListeners) listener(event);
  }
}
