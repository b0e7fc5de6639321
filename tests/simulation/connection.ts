import { MemoryTransport } from '../support/memory-transport.ts';
import type { Process, SimulatedClock } from './clock.ts';
import type { Random } from './random.ts';

/** Whoever is at the other end. */
export interface Peer {
  onText(text: string): void;
  onEnd(): void;
}

const END = Symbol('end');

/** A client's connection to a node. What either side says arrives when the simulation has it arrive. */
export class Connection {
  readonly transport = new MemoryTransport();
  readonly process: Process;
  readonly #clock: SimulatedClock;
  readonly #peer: Peer;
  #toNode: (string | typeof END)[] = [];
  #toClient: (string | typeof END)[] = [];
  #nodeGone = false;
  #clientGone = false;

  constructor(clock: SimulatedClock, process: Process, peer: Peer) {
    this.#clock = clock;
    this.process = process;
    this.#peer = peer;
    this.transport.onText = (text) => this.#toClient.push(text);
    this.transport.onEnd = () => {
      this.#nodeGone = true;
      this.#toNode = [];
      this.#toClient.push(END);
    };
  }

  get hasForNode(): boolean {
    return this.#toNode.length > 0 && this.process.running;
  }

  get hasForClient(): boolean {
    return this.#toClient.length > 0 && !this.#clientGone;
  }

  get over(): boolean {
    return this.#clientGone && this.#nodeGone;
  }

  send(text: string): void {
    if (!this.#nodeGone && !this.#clientGone) this.#toNode.push(text);
  }

  /** Gives the node what comes next. */
  deliverToNode(): string {
    const next = this.#toNode.shift();
    if (next === undefined) return '';
    this.#clock.run(this.process, () => {
      if (next === END) this.transport.break();
      else this.transport.push(Buffer.from(next as string));
    });
    return next === END ? 'END' : (next as string);
  }

  /** Gives the client what comes next. */
  deliverToClient(): string {
    const next = this.#toClient.shift();
    if (next === END) this.#end();
    else if (next !== undefined) this.#peer.onText(next as string);
    return next === END ? 'END' : (next as string);
  }

  #end(): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#toClient = [];
    this.#peer.onEnd();
  }

  /** The client has lost it, which the node learns later; some of what was sent arrives before. */
  cut(random: Random): void {
    if (this.#clientGone) return;
    this.#toNode.length = random.below(this.#toNode.length + 1);
    if (!this.#nodeGone) this.#toNode.push(END);
    this.#end();
  }

  /** The node is dead; some of what it had sent still arrives. */
  kill(random: Random): void {
    if (this.#nodeGone) return;
    this.#nodeGone = true;
    this.#toNode = [];
    this.#toClient.length = random.below(this.#toClient.length + 1);
    this.#toClient.push(END);
  }
}
