import { noEffects } from '@parley/keyspace/embedded/effects';
import { EmbeddedBus } from '@parley/keyspace/embedded/embedded-bus';
import { EmbeddedKeyspace } from '@parley/keyspace/embedded/embedded-keyspace';
import { Memory } from '@parley/keyspace/embedded/memory';
import { MemoryView } from '@parley/keyspace/embedded/memory-view';
import { type Operation, toReply } from '@parley/keyspace/operation';
import { Trouble } from '@parley/keyspace/trouble';
import type { SimulatedLink } from './link.ts';
import type { Random } from './random.ts';
import { type Shard, shardOfChannel } from './shards.ts';

/** Something that a node has asked of the store. */
export interface Request {
  readonly name: string;
  readonly read: boolean;
  /** When it was asked, in milliseconds. */
  readonly since: number;
  run(): Promise<unknown>;
  answer(value: unknown): void;
  fail(error: unknown): void;
}

/**
 * What records a new session is not fenced by anything that a node which is dead by now has done, so that it would end a
 * session that another node has begun since with the same full JID: it arrives within so many milliseconds, or never.
 */
const BEGINNING = /^(open|register)-session/;
const LATEST = 20;

/** How many of the newest things that were done a failover may lose at most, and how many milliseconds they may be old. */
const TAIL = 60;
const LAG = 8000;

/** Frames that a body of an operation sends go where those of nodes go. */
class StoreBus extends EmbeddedBus {
  readonly #store: () => SimulatedStore;

  constructor(store: () => SimulatedStore) {
    super(undefined);
    this.#store = store;
  }

  override publish(node: string, frame: Buffer): Promise<number> {
    return Promise.resolve(this.#store().publish(node, frame));
  }
}

/** Something that was done lately, and how to take it back. */
interface Done {
  readonly at: number;
  readonly steps: (() => void)[];
}

/** What a connection that is gone had sent to a shard before, in its order. */
export interface Late {
  readonly shard: Shard;
  readonly requests: Request[];
}

/** The one store that all nodes share: a Redis that is alone, or a Redis Cluster of several shards. */
export class SimulatedStore {
  readonly keyspace: EmbeddedKeyspace;
  readonly links = new Set<SimulatedLink>();
  readonly shards: number;
  readonly late: Late[] = [];
  readonly #memory: Memory;
  readonly #touched = new Set<string>();
  /** The newest things that were done, of each shard, the oldest first. */
  #tails: Done[][] = [];
  /** What is being done. */
  #doing: Done | undefined;
  readonly #now: () => number;

  constructor(now: () => number, shards: number) {
    this.#now = now;
    this.shards = shards;
    this.secure();
    this.#memory = new Memory(now);
    this.#memory.attach({
      record: noEffects,
      see() {},
      touch: (key) => this.#touched.add(key),
      undo: (step) => this.#doing?.steps.push(step),
    });
    const bus = new StoreBus(() => this);
    const rest = { trouble: new Trouble(), observer: {}, persistence: undefined };
    this.keyspace = new EmbeddedKeyspace({ memory: this.#memory, bus, ...rest });
  }

  /** Everything that is stored, by key, in order. */
  get keys(): string[] {
    return [...this.#touched].filter((key) => this.#memory.find(key) !== undefined).sort();
  }

  /** What an operation finds that changes nothing, at once: nothing happens meanwhile. */
  look<Result>(operation: Operation<Result>, keys: readonly string[], args: readonly string[]): Result {
    const view = new MemoryView(this.#memory, () => {});
    const bytes = args.map((arg) => Buffer.from(arg));
    return operation.result(toReply(operation.name, operation.js(view, keys, bytes)));
  }

  /** Something else is about to be done by a shard. */
  begin(shard: Shard): void {
    const tail = this.#tails[shard] as Done[];
    if (tail.at(-1)?.steps.length === 0) tail.pop(); // it has changed nothing
    this.#doing = { at: this.#now(), steps: [] };
    if (tail.push(this.#doing) > TAIL) tail.shift();
  }

  /** What was done up to now no failover loses. */
  secure(): void {
    this.#tails = Array.from({ length: this.shards }, () => []);
    this.#doing = undefined;
  }

  /** A replica takes the place of a shard, which lacks so many of the things that were done last: how many it were. */
  failOver(shard: Shard, random: Random): number {
    const tail = this.#tails[shard] as Done[];
    const known = tail.findIndex(({ at }) => at >= this.#now() - LAG);
    if (known !== 0) tail.splice(0, known === -1 ? tail.length : known);
    const lost = tail.splice(random.below(tail.length + 1));
    this.#doing = undefined;
    for (const { steps } of lost.reverse()) for (const undo of steps.reverse()) undo();
    tail.length = 0;
    this.late.splice(0, Infinity, ...this.late.filter((late) => late.shard !== shard));
    for (const link of this.links) if (link.shard === shard) link.failOver();
    return lost.length;
  }

  /** Hands a frame to all that listen now, and tells how many these are. */
  publish(channel: string, frame: Buffer): number {
    const shard = shardOfChannel(channel, this.shards);
    let count = 0;
    for (const link of this.links) if (link.shard === shard && link.push(channel, frame)) count++;
    return count;
  }

  /** Does the next thing that was sent over a connection that is gone; nobody is told of it. */
  async executeLate(late: Late, now: number): Promise<string> {
    const { shard, requests } = late;
    const request = requests.shift();
    if (requests.length === 0) this.late.splice(this.late.indexOf(late), 1);
    if (request !== undefined && BEGINNING.test(request.name) && now - request.since > LATEST) return 'nothing';
    this.begin(shard);
    await request?.run().catch(() => {});
    return request?.name ?? '';
  }
}
