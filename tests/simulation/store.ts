import { noEffects } from '@parley/keyspace/embedded/effects';
import { EmbeddedBus } from '@parley/keyspace/embedded/embedded-bus';
import { EmbeddedKeyspace } from '@parley/keyspace/embedded/embedded-keyspace';
import { Memory } from '@parley/keyspace/embedded/memory';
import { MemoryView } from '@parley/keyspace/embedded/memory-view';
import { type Operation, toReply } from '@parley/keyspace/operation';
import { Trouble } from '@parley/keyspace/trouble';
import type { SimulatedLink } from './link.ts';
import type { Random } from './random.ts';

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

/** The one store that all nodes share, as a Redis is that stays. */
export class SimulatedStore {
  readonly keyspace: EmbeddedKeyspace;
  readonly links = new Set<SimulatedLink>();
  /** What connections that are gone had sent before, each in its order. */
  readonly late: Request[][] = [];
  readonly #memory: Memory;
  readonly #touched = new Set<string>();
  /** How to take back each of the newest things that were done, the oldest first. */
  #tail: { readonly at: number; readonly steps: (() => void)[] }[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.#memory = new Memory(now);
    this.#memory.attach({
      record: noEffects,
      see() {},
      touch: (key) => this.#touched.add(key),
      undo: (step) => this.#tail.at(-1)?.steps.push(step),
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

  /** Something else is about to be done. */
  begin(): void {
    if (this.#tail.push({ at: this.#now(), steps: [] }) > TAIL) this.#tail.shift();
  }

  /** What was done up to now no failover loses. */
  secure(): void {
    this.#tail = [];
  }

  /** A replica takes the place of the store, which lacks so many of the things that were done last: how many it were. */
  failOver(random: Random): number {
    const known = this.#tail.findIndex(({ at }) => at >= this.#now() - LAG);
    if (known !== 0) this.#tail.splice(0, known === -1 ? this.#tail.length : known);
    const lost = this.#tail.splice(random.below(this.#tail.length + 1));
    for (const { steps } of lost.reverse()) for (const undo of steps.reverse()) undo();
    this.secure();
    this.late.splice(0);
    for (const link of this.links) link.failOver();
    return lost.length;
  }

  /** Hands a frame to all that listen now, and tells how many these are. */
  publish(channel: string, frame: Buffer): number {
    let count = 0;
    for (const link of this.links) if (link.push(channel, frame)) count++;
    return count;
  }

  /** Does the next thing that was sent over a connection that is gone; nobody is told of it. */
  async executeLate(from: Request[], now: number): Promise<string> {
    const request = from.shift();
    if (from.length === 0) this.late.splice(this.late.indexOf(from), 1);
    if (request !== undefined && BEGINNING.test(request.name) && now - request.since > LATEST) return 'nothing';
    this.begin();
    await request?.run().catch(() => {});
    return request?.name ?? '';
  }
}
