import { MemoryTransport } from '../support/memory-transport.ts';
import type { Process, SimulatedClock } from './clock.ts';
import type { Random } from './random.ts';

/** Whoever is at the other end. */
export interface Peer {
  onText(text: string): void;
  /** It was written to the connection, and never came. `counted`: after the server had begun to count (XEP-0198). */
  onLost(text: string, counted: boolean): void;
  onEnd(): void;
}

interface Written {
  readonly text: string;
  readonly counted: boolean;
}

const END = Symbol('end');

/** From this on nothing that is written is lost with the connection. */
const COUNTED = /^<(enabled|resumed) /;

/** A client's connection to a node. What either side says arrives when the simulation has it arrive. */
export class Connection {
  readonly transport = new MemoryTransport();
  readonly process: Process;
  readonly #clock: SimulatedClock;
  readonly #peer: Peer;
  #toNode: (string | typeof END)[] = [];
  #toClient: (Written | typeof END)[] = [];
  #counted = false;
  #nodeGone = false;
  #clientGone = false;

  constructor(clock: SimulatedClock, process: Process, peer: Peer) {
    this.#clock = clock;
    this.process = process;
    this.#peer = peer;
    this.transport.onText = (text) => this.#write(text);
    this.transport.onEnd = () => {
      this.#nodeGone = true;
      this.#toNode = [];
      this.#toClient.push(END);
    };
  }

  #write(text: string): void {
    if (COUNTED.test(text)) this.#counted = true;
    const written = { text, counted: this.#counted };
    if (this.#clientGone) this.#lose([written]);
    else this.#toClient.push(written);
  }

  #lose(all: readonly (Written | typeof END)[]): void {
    for (const written of all) if (written !== END) this.#peer.onLost(written.text, written.counted);
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
    else if (next !== undefined) this.#peer.onText(next.text);
    return next === END ? 'END' : (next?.text ?? '');
  }

  #end(): void {
    if (this.#clientGone) return;
    this.#clientGone = true;
    this.#lose(this.#toClient.splice(0));
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
    this.#lose(this.#toClient.splice(random.below(this.#toClient.length + 1)));
    this.#toClient.push(END);
  }
}
