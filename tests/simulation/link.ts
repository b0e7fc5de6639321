import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Process, SimulatedClock } from './clock.ts';
import type { Random } from './random.ts';
import type { Shard } from './shards.ts';
import type { Request, SimulatedStore } from './store.ts';

/** Milliseconds that a request waits for its answer. */
const DEADLINE = 5000;

/** A node has left in order. */
const LEAVING = /^leave /;

/** What a link tells the node of. */
export interface LinkHost {
  readonly clock: SimulatedClock;
  readonly process: Process;
  /** Frames of these channels come by it. */
  hears(channel: string): boolean;
  onFrame(frame: Buffer): void;
  onDown(reason: KeyspaceError): void;
  /** `storeChanged`: it is another store that answers. */
  onUp(storeChanged: boolean): void;
}

/**
 * One node's link to one shard of the store: requests are executed in order, their answers and the frames come back in
 * order, each when the simulation says so, and none where the link is lost first.
 */
export class SimulatedLink {
  readonly shard: Shard;
  /** What is asked stays on its way, and so do all answers behind it. */
  slow = false;
  readonly #store: SimulatedStore;
  readonly #host: LinkHost;
  #requests: Request[] = [];
  #answers: { name: string; give(): void }[] = [];
  #frames: Buffer[] = [];
  /** What the node waits for, in order. */
  readonly #unanswered = new Set<Request>();
  /** The connection is gone, which the node has not noticed yet. */
  #lost = false;
  #closed = false;
  /** Why it cannot be used, as far as the node knows. */
  #reason: KeyspaceError | undefined;
  /** Another store answers than the one that the node has written to. */
  #storeChanged = false;

  constructor(store: SimulatedStore, shard: Shard, host: LinkHost) {
    this.#store = store;
    this.#host = host;
    this.shard = shard;
    store.links.add(this);
  }

  get reason(): KeyspaceError | undefined {
    return this.#reason;
  }

  get up(): boolean {
    return !this.#lost && this.#reason === undefined;
  }

  get hasRequest(): boolean {
    return this.#requests.length > 0 && this.up && !this.slow;
  }

  /** Whether something of this name is to be executed. */
  asks(name: RegExp): boolean {
    return this.#requests.some((request) => name.test(request.name));
  }

  get hasAnswer(): boolean {
    return this.#answers.length > 0 && this.#host.process.running;
  }

  get hasFrame(): boolean {
    return this.#frames.length > 0 && this.#host.process.running;
  }

  get hasLoss(): boolean {
    return this.#lost && this.#host.process.running;
  }

  get idle(): boolean {
    return this.#unanswered.size === 0 && this.#frames.length === 0;
  }

  /** The node could connect anew. */
  get connectable(): boolean {
    return this.#reason !== undefined && this.#host.process.running;
  }

  // --- the node -----------------------------------------------------------------------------------------------------

  ask<Result>(name: string, read: boolean, run: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new KeyspaceError('closed', 'The keyspace was closed');
      if (this.#reason) throw new KeyspaceError(this.#reason.failure, this.#reason.message);
      const answer = resolve as (value: unknown) => void;
      const request = { name, read, run, answer, fail: reject, since: this.#host.clock.now };
      this.#unanswered.add(request);
      this.#requests.push(request);
    });
  }

  /** Gives up the connection: what has not arrived in the store goes nowhere, and nothing comes back. */
  reconnect(reason: string): void {
    if (this.#closed || this.#reason) return;
    this.#answers = [];
    this.#frames = [];
    this.notice(new KeyspaceError('away', reason));
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#closed = true;
    this.#store.links.delete(this);
  }

  // --- the store ----------------------------------------------------------------------------------------------------

  /** False where the node does not listen there. */
  push(channel: string, frame: Buffer): boolean {
    if (!this.up || !this.#host.hears(channel)) return false;
    this.#frames.push(frame);
    return true;
  }

  // --- the simulation -----------------------------------------------------------------------------------------------

  /** Executes the next request. */
  async execute(): Promise<string> {
    const request = this.#requests.shift() as Request;
    const { name } = request;
    this.#store.begin(this.shard);
    const give = (how: () => void) => () => this.#unanswered.delete(request) && how();
    await request.run().then(
      (value) => this.#answers.push({ name, give: give(() => request.answer(value)) }),
      (error) => this.#answers.push({ name, give: give(() => request.fail(error)) }),
    );
    // the others count on it no more, so what it alone knew it cannot tell anybody
    if (LEAVING.test(name)) this.#store.secure();
    return name;
  }

  /** Gives the node the next answer. */
  answer(): string {
    const answer = this.#answers.shift();
    if (answer !== undefined) this.#run(answer.give);
    return answer?.name ?? '';
  }

  /** Gives the node the next frame. */
  deliver(): void {
    const frame = this.#frames.shift() as Buffer;
    this.#run(() => this.#host.onFrame(frame));
  }

  /** The connection breaks: some of what was sent, from the beginning, is still to arrive, and nothing comes back. */
  lose(random: Random): void {
    const requests = this.#requests.slice(0, random.below(this.#requests.length + 1));
    if (requests.length > 0) this.#store.late.push({ shard: this.shard, requests });
    this.#requests = [];
    this.#answers = [];
    this.#frames = [];
    this.#lost = true;
  }

  /** The shard is gone, and what was on its way with it; another server takes its place. */
  failOver(): void {
    this.#requests = [];
    this.#answers = [];
    this.#frames = [];
    if (this.#reason === undefined) this.#lost = true;
    this.#storeChanged = true;
  }

  /** The node notices that its connection is gone. */
  notice(reason = new KeyspaceError('away', 'The connection to the store is lost.')): void {
    this.#lost = false;
    this.#requests = []; // what was sent since then went nowhere
    const waiting = [...this.#unanswered];
    this.#unanswered.clear();
    this.#run(() => {
      for (const { read, fail } of waiting) {
        const outcome = read ? 'not-executed' : 'unknown';
        fail(new KeyspaceError(reason.failure, reason.message, { outcome }));
      }
      this.#reason = reason;
      this.#host.onDown(reason);
    });
  }

  /** Whether the node has waited for an answer for too long. */
  get late(): boolean {
    const [oldest] = this.#unanswered;
    return this.#host.process.running && oldest !== undefined && this.#host.clock.now - oldest.since >= DEADLINE;
  }

  /** The node gives up waiting, and connects anew. */
  giveUp(random: Random): void {
    this.lose(random);
    this.notice(new KeyspaceError('slow', 'The store did not answer in time.'));
  }

  /** A new connection comes up. */
  connect(): void {
    this.slow = false;
    this.#run(() => {
      const changed = this.#storeChanged;
      this.#storeChanged = false;
      this.#reason = undefined;
      this.#host.onUp(changed);
    });
  }

  /** The node is killed. */
  kill(random: Random): void {
    this.lose(random);
    this.close();
  }

  #run(work: () => void): void {
    this.#host.clock.run(this.#host.process, work);
  }
}
