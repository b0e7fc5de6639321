import { EVERY_NODE, type LinkEvent } from '@parley/keyspace/bus';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Trouble } from '@parley/keyspace/trouble';
import type { Process, SimulatedClock } from './clock.ts';
import type { Random } from './random.ts';
import type { Request, SimulatedStore } from './store.ts';

/** Milliseconds that a request waits for its answer. */
const DEADLINE = 5000;

/** A node has left in order. */
const LEAVING = /^leave /;

/**
 * What one node's link to the store is: requests are executed in order, their answers and the frames come back in order,
 * each when the simulation says so, and none where the link is lost first.
 */
export class SimulatedLink {
  readonly trouble = new Trouble();
  readonly channel: string;
  readonly process: Process;
  readonly #store: SimulatedStore;
  readonly #clock: SimulatedClock;
  readonly #frameListeners = new Set<(frame: Buffer) => void>();
  readonly #linkListeners = new Set<(event: LinkEvent) => void>();
  #requests: Request[] = [];
  #answers: { name: string; give(): void }[] = [];
  #frames: Buffer[] = [];
  /** What the node waits for, in order. */
  readonly #unanswered = new Set<Request>();
  /** The connection is gone, which the node has not noticed yet. */
  #lost = false;
  #closed = false;
  /** Another store answers than the one that the node has written to. */
  #storeChanged = false;

  constructor(store: SimulatedStore, clock: SimulatedClock, process: Process, channel: string) {
    this.#store = store;
    this.#clock = clock;
    this.process = process;
    this.channel = channel;
    store.links.add(this);
  }

  get up(): boolean {
    return !this.#lost && this.trouble.reason === undefined;
  }

  get hasRequest(): boolean {
    return this.#requests.length > 0 && this.up;
  }

  get hasAnswer(): boolean {
    return this.#answers.length > 0 && this.process.running;
  }

  get hasFrame(): boolean {
    return this.#frames.length > 0 && this.process.running;
  }

  get hasLoss(): boolean {
    return this.#lost && this.process.running;
  }

  get idle(): boolean {
    return this.#unanswered.size === 0 && this.#frames.length === 0;
  }

  // --- the node -----------------------------------------------------------------------------------------------------

  ask<Result>(name: string, read: boolean, run: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new KeyspaceError('closed', 'The keyspace was closed');
      const { reason } = this.trouble;
      if (reason) throw new KeyspaceError(reason.failure, reason.message);
      const answer = resolve as (value: unknown) => void;
      const request = { name, read, run, answer, fail: reject, since: this.#clock.now };
      this.#unanswered.add(request);
      this.#requests.push(request);
    });
  }

  onFrame(listener: (frame: Buffer) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    this.#linkListeners.add(listener);
    return () => this.#linkListeners.delete(listener);
  }

  /** Gives up the connection: what has not arrived in the store goes nowhere, and nothing comes back. */
  reconnect(reason: string): void {
    if (this.#closed || this.trouble.reason) return;
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
    if (!this.up || (channel !== this.channel && channel !== EVERY_NODE)) return false;
    this.#frames.push(frame);
    return true;
  }

  // --- the simulation -----------------------------------------------------------------------------------------------

  /** Executes the next request. */
  async execute(): Promise<string> {
    const request = this.#requests.shift() as Request;
    const { name } = request;
    this.#store.begin();
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
    if (answer !== undefined) this.#clock.run(this.process, answer.give);
    return answer?.name ?? '';
  }

  /** Gives the node the next frame. */
  deliver(): void {
    const frame = this.#frames.shift() as Buffer;
    this.#clock.run(this.process, () => {
      for (const listener of this.#frameListeners) listener(frame);
    });
  }

  /** The connection breaks: some of what was sent, from the beginning, is still to arrive, and nothing comes back. */
  lose(random: Random): void {
    const arriving = this.#requests.slice(0, random.below(this.#requests.length + 1));
    if (arriving.length > 0) this.#store.late.push(arriving);
    this.#requests = [];
    this.#answers = [];
    this.#frames = [];
    this.#lost = true;
  }

  /** The store is gone, and what was on its way with it; another one takes its place. */
  failOver(): void {
    this.#requests = [];
    this.#answers = [];
    this.#frames = [];
    if (this.trouble.reason === undefined) this.#lost = true;
    this.#storeChanged = true;
  }

  /** The node notices that its connection is gone. */
  notice(reason = new KeyspaceError('away', 'The connection to the store is lost.')): void {
    this.#lost = false;
    this.#requests = []; // what was sent since then went nowhere
    const waiting = [...this.#unanswered];
    this.#unanswered.clear();
    this.#clock.run(this.process, () => {
      for (const { read, fail } of waiting) {
        const outcome = read ? 'not-executed' : 'unknown';
        fail(new KeyspaceError(reason.failure, reason.message, { outcome }));
      }
      this.trouble.set(reason);
      this.#tell('down');
    });
  }

  /** Whether the node has waited for an answer for too long. */
  get late(): boolean {
    const [oldest] = this.#unanswered;
    return this.process.running && oldest !== undefined && this.#clock.now - oldest.since >= DEADLINE;
  }

  /** The node gives up waiting, and connects anew. */
  giveUp(random: Random): void {
    this.lose(random);
    this.notice(new KeyspaceError('slow', 'The store did not answer in time.'));
  }

  /** A new connection comes up. */
  connect(): void {
    this.#clock.run(this.process, () => {
      this.trouble.set(undefined);
      if (this.#storeChanged) this.#tell('storeChanged');
      this.#storeChanged = false;
      this.#tell('up');
    });
  }

  /** The node is killed. */
  kill(random: Random): void {
    this.lose(random);
    this.close();
  }

  #tell(event: LinkEvent): void {
    for (const listener of this.#linkListeners) listener(event);
  }
}
