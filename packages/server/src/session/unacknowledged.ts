import { serialAdd, serialDistance } from '@parley/xmpp/serial';
import type { Origin } from '@parley/xmpp/stanza';

/** A stanza for the client that it has not acknowledged yet. */
export interface Sent {
  /** A text of its own: what it was cut out of may be large. */
  readonly text: string;
  readonly origin: Origin | undefined;
  /** Stands in the journal, or will: it outlives this process. */
  readonly journaled: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The number that it has for the client; undefined before it has one. */
  out: number | undefined;
  /** It may be written: what it needs is committed, and so is all before it. */
  ready: boolean;
}

/** What a client has to acknowledge, in order, and how far it has come (XEP-0198 §4). */
export class Unacknowledged {
  #queue: Sent[] = [];
  #bytes = 0;
  /** Stanzas at the head of the queue that have been written. */
  #written = 0;
  /** The number of the last stanza that was written. */
  #count = 0;

  get size(): number {
    return this.#queue.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Stanzas that were written and not acknowledged. */
  get written(): number {
    return this.#written;
  }

  /** The number of the last stanza that was written, modulo 2^32. */
  get count(): number {
    return this.#count;
  }

  get all(): readonly Sent[] {
    return this.#queue;
  }

  add(sent: Sent): void {
    this.#queue.push(sent);
    this.#bytes += sent.text.length;
  }

  /** The next stanza to write, if it is ready; from now on it counts as written. */
  next(): Sent | undefined {
    const sent = this.#queue[this.#written];
    if (sent === undefined || !sent.ready) return undefined;
    this.#written++;
    this.#count = serialAdd(this.#count, 1);
    sent.out = this.#count;
    return sent;
  }

  /** The number that the stanza added last will have. */
  get lastNumber(): number {
    return serialAdd(this.#count, this.#queue.length - this.#written);
  }

  /** The stanzas that an `h` acknowledges, taken out; undefined where it counts more than was sent. */
  acknowledge(h: number): Sent[] | undefined {
    const first = serialAdd(this.#count, -this.#written);
    const handled = serialDistance(h, first);
    if (handled > this.#written) return undefined;
    if (handled <= 0) return [];
    return this.#take(handled);
  }

  #take(count: number): Sent[] {
    const taken = this.#queue.splice(0, count);
    this.#written = Math.max(0, this.#written - count);
    for (const { text } of taken) this.#bytes -= text.length;
    return taken;
  }

  /**
   * Begins anew on another stream, on which the client has got everything up to `h`: what is left is numbered from there
   * and is to be written again. Where this process does not know what its predecessor wrote, `h` may be anything, and
   * what has a number up to it is taken out, and answered.
   */
  resume(h: number): Sent[] {
    const known = this.#queue.findIndex(({ out }) => out === undefined || serialDistance(h, out) < 0);
    const taken = this.#take(known === -1 ? this.#queue.length : known);
    this.#written = 0;
    this.#count = h;
    this.#queue.forEach((sent, index) => {
      sent.out = serialAdd(h, index + 1);
    });
    return taken;
  }

  /** Everything, taken out. */
  takeAll(): Sent[] {
    return this.#take(this.#queue.length);
  }
}
