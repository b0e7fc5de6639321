import { serialAdd, serialDistance } from '@parley/xmpp/serial';
import type { Origin } from '@parley/xmpp/stanza';
import type { Span } from '../tracing/trace.ts';
import { Sent } from './sent.ts';

/** What a client has to acknowledge, in order, and how far it has come (XEP-0198 §4). */
export class Unacknowledged {
  #queue: Sent[] = [];
  #bytes = 0;
  /** Stanzas at the head of the queue that have been written. */
  #written = 0;
  #writtenBytes = 0;
  /** The number of the last stanza that was written. */
  #count = 0;
  /** A predecessor of this process wrote to the client what is not known here. */
  #restored = false;
  /** The highest number that its client can acknowledge, where that is known all the same. */
  #most: number | undefined;

  get size(): number {
    return this.#queue.length;
  }

  /** Characters of all texts together, about as many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same of those that have not been written. */
  get unwrittenBytes(): number {
    return this.#bytes - this.#writtenBytes;
  }

  /** Stanzas that were written and not acknowledged. */
  get written(): number {
    return this.#written;
  }

  /** The number of the last stanza that was written, modulo 2^32. */
  get count(): number {
    return this.#count;
  }

  /** The highest number that the client can acknowledge, where that is known. */
  get mostKnown(): number | undefined {
    return this.#restored ? this.#most : this.#count;
  }

  get all(): readonly Sent[] {
    return this.#queue;
  }

  add(text: string, origin: Origin | undefined, journaled: boolean, later = false, span?: Span): Sent {
    const out = this.#restored ? undefined : serialAdd(this.#count, this.#queue.length - this.#written + 1);
    const sent = new Sent({ text, origin, journaled, later, at: Date.now(), out, ready: !journaled, span });
    this.#push(sent);
    return sent;
  }

  /**
   * Takes over what a predecessor of this process had journaled. `sent`: the number of the last stanza that it wrote, where
   * that is known, and with it all that it had not acknowledged. What has no number was written after all that has.
   */
  restore(kept: readonly Pick<Sent, 'text' | 'origin' | 'at' | 'out'>[], sent?: number): void {
    this.#restored = true;
    this.#most = sent;
    const [numbered, others] = [
      kept.filter(({ out }) => out !== undefined),
      kept.filter(({ out }) => out === undefined),
    ];
    for (const { text, origin, at, out } of [...numbered, ...others])
      this.#push(new Sent({ text, origin, journaled: true, later: false, at, out, ready: true }));
  }

  #push(sent: Sent): void {
    this.#queue.push(sent);
    this.#bytes += sent.length;
  }

  /** The next stanza to write, if it is ready; from now on it counts as written. */
  next(): Sent | undefined {
    const sent = this.#queue[this.#written];
    if (sent === undefined || !sent.ready) return undefined;
    this.#written++;
    this.#writtenBytes += sent.length;
    this.#count = serialAdd(this.#count, 1);
    return sent;
  }

  /** Whether a client may say that it has got so much: no more than was written, as far as that is known. */
  allows(h: number): boolean {
    if (this.#restored) return this.#most === undefined || serialDistance(h, this.#most) <= 0;
    return this.#handled(h) <= this.#written;
  }

  /** How many at the head of the queue an `h` acknowledges. */
  #handled(h: number): number {
    return serialDistance(h, serialAdd(this.#count, -this.#written));
  }

  /** The stanzas that an `h` acknowledges, taken out. */
  acknowledge(h: number): Sent[] {
    return this.#take(Math.max(0, Math.min(this.#handled(h), this.#written)));
  }

  #take(count: number): Sent[] {
    const taken = this.#queue.splice(0, count);
    const unwritten = Math.max(0, count - this.#written);
    this.#written = Math.max(0, this.#written - count);
    taken.forEach(({ length }, place) => {
      this.#bytes -= length;
      if (place < count - unwritten) this.#writtenBytes -= length;
    });
    return taken;
  }

  /**
   * Begins anew on another stream, on which the client has got everything up to `h`: what has a number up to it is taken
   * out, and answered; what is left is numbered from there, and nothing of it is written yet. `filler` takes the place of
   * each that was written before and is not there any more, so that all others have the numbers that they had.
   */
  resume(h: number, filler?: string): Sent[] {
    const left = this.#queue.findIndex(({ out }) => out === undefined || serialDistance(out, h) > 0);
    const taken = this.#take(left === -1 ? this.#queue.length : left);
    if (filler !== undefined) this.#fill(h, filler);
    this.restart(h);
    return taken;
  }

  /** How many `resume` would have to fill: whoever names the `h` may name any. */
  missing(h: number): number {
    const { mostKnown: most } = this;
    const had = ({ out }: Sent) =>
      out !== undefined && serialDistance(out, h) > 0 && (most === undefined || serialDistance(out, most) <= 0);
    const there = this.#queue.filter(had);
    const last = most ?? there.at(-1)?.out ?? h;
    return Math.max(0, serialDistance(last, h) - there.length);
  }

  #fill(h: number, filler: string): void {
    const { mostKnown: most } = this;
    const rest = this.#queue;
    this.#queue = [];
    this.#bytes = 0;
    const next = () => serialAdd(h, this.#queue.length + 1);
    const fillTo = (number: number) => {
      while (serialDistance(number, next()) > 0) {
        const nothing = { origin: undefined, journaled: false, later: false, at: Date.now(), ready: true };
        this.#push(new Sent({ ...nothing, text: filler, out: next() }));
      }
    };
    // what was not written yet had no number on the stream
    const hadNumber = (out: number) => most === undefined || serialDistance(out, most) <= 0;
    const unwritten = rest.findIndex(({ out }) => out === undefined || !hadNumber(out));
    const written = unwritten === -1 ? rest.length : unwritten;
    for (const sent of rest.slice(0, written)) {
      fillTo(sent.out as number);
      this.#push(sent);
    }
    if (most !== undefined) fillTo(serialAdd(most, 1));
    for (const sent of rest.slice(written)) this.#push(sent);
  }

  /** Begins anew on another stream, whose numbers go on from `h`: nothing is written yet. */
  restart(h: number): void {
    this.#restored = false;
    this.#written = 0;
    this.#writtenBytes = 0;
    this.#count = h;
    this.#queue.forEach((sent, index) => {
      sent.out = serialAdd(h, index + 1);
    });
  }

  /** Takes some out of those that have not been written, be it in the midst of them. */
  takeOut(goes: (sent: Sent) => boolean): Sent[] {
    const waits = this.#queue.slice(this.#written);
    const taken = new Set(waits.filter(goes));
    if (taken.size === 0) return [];
    this.#queue = this.#queue.filter((sent) => !taken.has(sent));
    for (const { length } of taken) this.#bytes -= length;
    if (!this.#restored) {
      this.#queue.slice(this.#written).forEach((sent, index) => {
        sent.out = serialAdd(this.#count, index + 1);
      });
    }
    return [...taken];
  }

  /** The stream is lost: nothing counts as written to whatever comes next. */
  unwrite(): readonly Sent[] {
    const written = this.#queue.slice(0, this.#written);
    this.#written = 0;
    this.#writtenBytes = 0;
    this.#most = this.#count;
    this.#restored = true;
    return written;
  }

  /** Everything, taken out. */
  takeAll(): Sent[] {
    return this.#take(this.#queue.length);
  }
}
