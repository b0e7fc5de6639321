import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import { untilDone } from '../session/attempts.ts';
import type { Stream } from '../stream/stream.ts';
import { Handled } from './handled.ts';
import type { StreamRecord, StreamStore } from './stream-store.ts';

export interface RememberedStreamHost {
  readonly store: Pick<StreamStore, 'keep' | 'forget'>;
  /** Resolves when another attempt on a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** What a node that stops waits for. */
  pending(work: Promise<unknown>): void;
  /** This node does not remember it any more. */
  onOver(stream: RememberedStream): void;
  onFault(error: unknown): void;
}

/** Who takes it over waits no longer for what is being dealt with here; it is sent again, and known by its number. */
const SETTLING_MS = 3000;

/**
 * What was taken on a stream that its server can resume (XEP-0198): on another connection, and on another node after this
 * one is gone. No more is told than the keyspace knows of. The number of a stanza is its origin, so that whoever had it knows
 * it again where it is sent once more.
 */
export class RememberedStream extends Handled implements StreamRecord {
  readonly sid: string;
  readonly epoch: number;
  readonly seconds: number;
  /** The other side's domain. */
  readonly remote: string;
  readonly #host: RememberedStreamHost;
  /** Its connection; undefined once that is lost. */
  #stream: Stream | undefined;
  #lostAt = 0;
  /** So much the keyspace knows of, and since when. */
  #kept: number;
  #keptAt = performance.now();
  /** So much it is being told. */
  #beingKept = 0;
  /** So much the other side knows of. */
  #told: number;
  #released = false;
  #over = false;
  #writing: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  constructor(record: StreamRecord, remote: string, stream: Stream, host: RememberedStreamHost) {
    super(record.handled);
    this.sid = record.sid;
    this.epoch = record.epoch;
    this.seconds = record.seconds;
    this.remote = remote;
    this.#stream = stream;
    this.#host = host;
    this.#kept = record.handled;
    this.#told = record.handled;
  }

  /** Stanzas that are done with, modulo 2^32. */
  get handled(): number {
    return this.count >>> 0;
  }

  // --- for whoever takes stanzas ------------------------------------------------------------------------------------

  override get nextOrigin(): Origin {
    return { sid: this.sid, k: (this.begun + 1) >>> 0, effect: 0 };
  }

  /** A recipient knows the highest number that it had: what is for one of them must not overtake anything. */
  override lane(from: Jid, to: Jid): string {
    return to.isDomain ? super.lane(from, to) : to.bareText;
  }

  override secured(tell: () => void): void {
    if (this.#kept >= this.count) {
      tell();
      return;
    }
    const writing = this.#beingKept >= this.count ? this.#writing : undefined;
    void (writing ?? this.#keep()).then((ours) => ours && tell());
  }

  override told(): number {
    this.#told = this.#kept;
    return this.#kept >>> 0;
  }

  /** Where the other side has said that it is over, and knows all that was done, it is forgotten. */
  override ended(lost: boolean): void {
    this.#stream = undefined;
    this.#lostAt = performance.now();
    if (this.#released || this.#over) return;
    if (!lost && this.#told === this.begun) {
      this.forget();
      return;
    }
    this.#host.pending(this.#keep());
    this.whenCaughtUp(() => this.#host.pending(this.#keep()));
  }

  // --- for whoever remembers it -------------------------------------------------------------------------------------

  /** Nobody is to resume it. */
  forget(): void {
    this.#end();
    const forgotten = untilDone(() => this.#host.store.forget(this), this.#host.again);
    this.#host.pending(forgotten.catch((error) => this.#failed(error)));
  }

  /** Another connection is to have it. Resolves when the keyspace knows of everything, and nothing more comes here. */
  async release(): Promise<void> {
    this.#released = true;
    this.#stream?.error(new StreamError('conflict', 'The stream was resumed on another connection.'));
    await this.#settled();
    await this.#keep();
    this.#end();
  }

  #settled(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, SETTLING_MS).unref();
      this.whenCaughtUp(() => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** The time within which it can be resumed is over. */
  isLate(now: number): boolean {
    return this.#stream === undefined && now - this.#lostAt > this.seconds * 1000;
  }

  /** Tells the keyspace from time to time that it is there. */
  refresh(now: number): void {
    if (this.#stream !== undefined && now - this.#keptAt > this.seconds * 500) void this.#keep();
  }

  /** The keyspace may have lost what it was told last. */
  storeChanged(): void {
    void this.#keep();
  }

  /** This node lets go of it, and leaves everything as it is. */
  stop(): void {
    this.#over = true;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.onOver(this);
  }

  /** Resolves when the keyspace knows what is done with now; with false where another node has the stream. */
  #keep(): Promise<boolean> {
    if (this.#writing === undefined) return this.#write();
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return this.#write();
    });
    return this.#next;
  }

  #write(): Promise<boolean> {
    const writing = this.#attempt().finally(() => {
      if (this.#writing === writing) this.#writing = undefined;
    });
    this.#writing = writing;
    return writing;
  }

  async #attempt(): Promise<boolean> {
    let count = 0;
    const attempt = async () => {
      if (this.#over) return undefined;
      count = this.count;
      this.#beingKept = count;
      return await this.#host.store.keep(this, this.#stream !== undefined);
    };
    try {
      const ours = await untilDone(attempt, this.#host.again);
      if (ours === true) {
        this.#kept = Math.max(this.#kept, count);
        this.#keptAt = performance.now();
      } else if (ours === false) this.#fenced();
      return ours === true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Another node has it: what comes here comes there, too. */
  #fenced(): void {
    this.#end();
    this.#stream?.error(new StreamError('conflict', 'The stream was resumed elsewhere.'));
  }

  #failed(error: unknown): void {
    if (error instanceof KeyspaceError && error.failure === 'closed') return; // the node stops
    this.#host.onFault(error);
  }
}
