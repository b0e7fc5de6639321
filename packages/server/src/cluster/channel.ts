import type { ChannelCounts } from './channel-counts.ts';
import { type ChannelFrame, channelFrame, readChannelFrame } from './channel-frame.ts';
import { Outbox } from './outbox.ts';

/** Time is counted in ticks: a process that stood still has not waited for anybody meanwhile. */
export const TICK_MS = 50;

const ASK_TICKS = 2;
const FIRST_RETRY_TICKS = 20;
const LAST_RETRY_TICKS = 100;

/** Bytes of items in a frame, where it is not one item alone. */
const MOST_IN_FRAME = 256 * 1024;
/** Bytes on their way: Redis cuts off who has too much waiting, and what it cuts off is lost. */
const WINDOW = 1024 * 1024;

const UNACKNOWLEDGED_ITEMS = 1024;
const UNACKNOWLEDGED_BYTES = WINDOW / 4;

/** The number of the newest channel of this process. */
let lastNumber = 0;

export interface ChannelHost {
  readonly counts: ChannelCounts;
  publish(to: string, frame: Buffer): Promise<number>;
  receive(from: string, item: Buffer): void;
  onAbsent(to: string): void;
  onDamaged(from: string, error: Error): void;
  onReset(from: string): void;
  /** Has `flush` called when the turn ends. */
  flushSoon(channel: Channel): void;
  /** Has `tick` called every TICK_MS, until it returns false. */
  keepTicking(channel: Channel): void;
}

/**
 * Both directions between this member and one other.
 *
 * **Who talks to whom.** A member that was closed by mistake and is opened again has the same id, and frames of the time
 * before may still be on their way, in any order. So each side gives its channel a number. Numbers of one process only
 * grow, and an id is that of one process alone, so of two numbers of a peer the larger one is the newer one, and a frame
 * with a smaller number than one that was seen is late: it is ignored.
 *
 * A frame says its sender's number and the receiver's, as far as the sender knows it. Acknowledgements and items are taken
 * only from frames in which both are the present ones, and items are sent only when such a frame has come (*met*): the
 * peer then knows us as we are now. Until then our frames are *hellos*, which hold no item and are sent again in time. A
 * hello is always answered, and so is a frame that is for a former channel of ours: the answer tells our number. Two that
 * know nothing of each other have met after three frames.
 *
 * Items are numbered from 1 in each pair of channels. When a peer that we had met comes with a larger number, it has
 * forgotten what we sent it and what it sent us, and the pair is another one. Part of what it did not acknowledge may have
 * been handed on before it forgot, so none of that is sent again: it is dropped, and `onReset` says so. What is queued for a
 * peer that we had not met was never sent, and stays.
 *
 * So an item is handed on at most once, in the order of sending, whatever is opened and closed; and all of them are where
 * nothing is.
 */
export class Channel {
  readonly #host: ChannelHost;
  readonly #id: string;
  /** What every frame begins with. */
  readonly #head: Buffer;
  readonly #own: number;
  /** The number of the peer's channel; 0 until it is heard of. */
  #peer = 0;
  #met = false;

  #outbox = new Outbox();
  /** A frame has to go out, be there items or not. */
  #due = true;
  #dirty = false;
  /** Nothing goes out: the link is down, as far as it is known. */
  #held = false;
  /** Which linkUp it was; a failure of before says nothing of the time after. */
  #link = 0;
  #retryTicks = FIRST_RETRY_TICKS;
  #retryIn = FIRST_RETRY_TICKS;

  /** How many items have come, from the first one on. */
  #received = 0;
  /** What of that the peer has not been told. */
  #owedItems = 0;
  #owedBytes = 0;
  /** The peer does not know that it was told. */
  #owed = false;
  /** There are items that have not come, and others have. */
  #missing = false;
  #ask = false;
  #askPause = 0;

  #closed = false;
  #damaged = false;

  constructor(host: ChannelHost, id: string, head: Buffer) {
    this.#host = host;
    this.#id = id;
    this.#head = head;
    this.#own = ++lastNumber;
    this.#wake();
  }

  get waiting(): number {
    return this.#outbox.bytes;
  }

  send(item: Buffer): void {
    // the last hello may be seconds ago, and the next one far
    if (!this.#met && this.#outbox.isEmpty) this.#due = true;
    this.#host.counts.itemsOut++;
    this.#outbox.push(item);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#outbox = new Outbox();
  }

  linkUp(): void {
    this.#link++;
    this.#held = false;
    this.#progress();
    this.#outbox.rewind();
    // what was sent to us was lost as well, and the peer's link may have been up all the time
    if (this.#met) this.#askAgain();
    else this.#due = true;
    this.#wake();
  }

  flush(): void {
    this.#dirty = false;
    if (this.#closed || this.#held) return;
    if (this.#met) {
      for (;;) {
        const { next: first, latest } = this.#outbox;
        const items = this.#outbox.take(MOST_IN_FRAME, WINDOW);
        if (items.length === 0) break;
        this.#host.counts.resent += Math.max(0, Math.min(items.length, latest + 1 - first));
        this.#publish(first, items);
      }
    }
    if (this.#due) this.#publish(this.#outbox.next);
    if (this.#waits) this.#host.keepTicking(this);
  }

  /** False where it has nothing to wait for. */
  tick(): boolean {
    if (this.#closed) return false;
    if (this.#askPause > 0 && --this.#askPause === 0 && this.#missing) this.#askAgain();
    if (this.#owed) this.#answer();
    if (!this.#waits) this.#progress();
    else if (--this.#retryIn === 0) this.#retry();
    return this.#waits || this.#owed || this.#askPause > 0;
  }

  /** It has to try again where nothing comes. */
  get #waits(): boolean {
    return this.#held || !this.#met || !this.#outbox.isEmpty;
  }

  #progress(): void {
    this.#retryIn = this.#retryTicks = FIRST_RETRY_TICKS;
  }

  #retry(): void {
    this.#retryIn = this.#retryTicks = Math.min(this.#retryTicks * 2, LAST_RETRY_TICKS);
    this.#held = false;
    this.#outbox.rewind();
    if (!this.#met) this.#due = true;
    this.#wake();
  }

  onFrame(body: Buffer): void {
    let frame: ChannelFrame;
    try {
      frame = readChannelFrame(body);
    } catch (error) {
      this.#report(error as Error);
      return;
    }
    if (frame.own < this.#peer) return;
    const reset = frame.own > this.#peer && this.#meetAnew(frame.own);
    if (frame.hello) this.#answer();
    if (frame.peer === this.#own) this.#onPresent(frame);
    else this.#answer();
    if (reset) this.#host.onReset(this.#id);
  }

  /** The peer's channel is another than the known one. True where that ends what there was. */
  #meetAnew(peer: number): boolean {
    const had = this.#met;
    if (had) {
      this.#outbox = new Outbox();
      this.#met = false;
    }
    this.#peer = peer;
    this.#received = 0;
    this.#owedItems = this.#owedBytes = 0;
    this.#owed = this.#missing = this.#ask = false;
    return had;
  }

  /** The frame is between the two channels that there are now. */
  #onPresent(frame: ChannelFrame): void {
    if (!this.#outbox.canHave(frame.received)) {
      this.#report(new Error(`It has received item ${frame.received}, which was never sent.`));
      return;
    }
    if (!this.#met) {
      this.#met = true;
      this.#progress();
      this.#wake();
    }
    if (this.#outbox.acknowledge(frame.received)) {
      this.#progress();
      if (!this.#outbox.isEmpty) this.#wake();
    }
    if (frame.ask) {
      this.#outbox.rewind();
      this.#wake();
    }
    this.#onItems(frame);
  }

  #onItems({ first, items }: ChannelFrame): void {
    const known = this.#received + 1 - first;
    if (known < 0) {
      this.#missing = true;
      this.#askAgain();
      return;
    }
    if (items.length === 0) return;
    this.#owe();
    if (known >= items.length) return;
    this.#missing = false;
    for (let place = known; place < items.length && !this.#closed; place++) {
      const item = items[place] as Buffer;
      this.#received++;
      this.#owedItems++;
      this.#owedBytes += item.length;
      this.#host.counts.itemsIn++;
      this.#host.receive(this.#id, item);
    }
    if (this.#owedItems >= UNACKNOWLEDGED_ITEMS || this.#owedBytes >= UNACKNOWLEDGED_BYTES) this.#answer();
  }

  #owe(): void {
    this.#owed = true;
    this.#host.keepTicking(this);
  }

  #answer(): void {
    this.#due = true;
    this.#wake();
  }

  #askAgain(): void {
    if (this.#askPause > 0) return;
    this.#askPause = ASK_TICKS;
    this.#ask = true;
    this.#answer();
    this.#host.keepTicking(this);
  }

  #wake(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    this.#host.flushSoon(this);
  }

  #publish(first: number, items?: readonly Buffer[]): void {
    const news = {
      own: this.#own,
      peer: this.#peer,
      hello: !this.#met,
      ask: this.#ask,
      received: this.#received,
      first,
    };
    this.#due = this.#ask = this.#owed = false;
    this.#owedItems = this.#owedBytes = 0;
    const link = this.#link;
    this.#host.counts.framesOut++;
    this.#host.publish(this.#id, channelFrame(this.#head, news, items)).then(
      (reached) => {
        if (reached === 0 && !this.#closed) this.#host.onAbsent(this.#id);
      },
      () => this.#onFailure(link),
    );
  }

  /** What has become of the frame is not known. It is sent again when the link is up, or in time. */
  #onFailure(link: number): void {
    if (link !== this.#link || this.#closed) return;
    this.#held = true;
    this.#due = true;
    this.#host.keepTicking(this);
  }

  #report(error: Error): void {
    this.#host.counts.damaged++;
    if (this.#damaged) return;
    this.#damaged = true;
    this.#host.onDamaged(this.#id, error);
  }
}
