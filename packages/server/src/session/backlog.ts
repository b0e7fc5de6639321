import type { Origin } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Span } from '../tracing/trace.ts';
import { JournalWriter, numbered } from './journal-writer.ts';
import { COPY, Origins } from './origins.ts';
import { type Fate, NO_COUNTS } from './resumption/journal-counts.ts';
import type { JournalEntry } from './resumption/journal-entry.ts';
import type { JournalHeader } from './resumption/journal-header.ts';
import type { ResumptionRecord, ResumptionStore } from './resumption/resumption-store.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';
import { Unacknowledged } from './unacknowledged.ts';

export interface BacklogHost {
  readonly store: ResumptionStore;
  /** Resolves when another attempt to write to a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** Whether no other node has the session under a higher epoch: see `OtherNodes`. */
  isUndisputed(epoch: number): Promise<boolean>;
  /** More of what waits in order can be written. */
  onReady(): void;
  /** It is gone from the keyspace, or another node has taken it over. */
  onFenced(): void;
  onFault(error: unknown): void;
  /** Inbound stanzas that were dealt with, modulo 2^32. */
  handled(): number;
  record(epoch: number): ResumptionRecord;
}

/** What a predecessor in another process left of the session. */
export interface Predecessor {
  readonly epoch: number;
  readonly header: JournalHeader;
  readonly entries: readonly JournalEntry[];
}

/** What the keyspace was told last of a session that was left to another node. */
export interface LeftSession {
  readonly record: ResumptionRecord;
  readonly header: JournalHeader;
  readonly entries: readonly JournalEntry[];
}

/** Senders that are remembered: of all that was taken, and, for those who come after this process, of what was let go of. */
export interface MostOrigins {
  readonly taken: number;
  readonly trimmed: number;
}

/**
 * What is on its way to somebody who acknowledges it, be it a client or another server: in memory, and, as far as it must
 * outlive this process, in the journal of a session.
 */
export class Backlog {
  readonly session: Session;
  /** Seconds that the session waits when its stream is lost; 0 where it cannot be resumed. */
  readonly maxSeconds: number;
  readonly journal: JournalWriter;
  readonly sent = new Unacknowledged();
  /** It has a stream: what waits is written to it. */
  attached = true;
  /** What was taken out, and goes elsewhere: until it is there, the journal has it before all else. */
  #leaving: readonly Sent[] = [];
  /** What is acknowledged meanwhile. */
  readonly #acknowledged: Sent[] = [];
  /** The end of all that leaves: one after the other. */
  #departures: Promise<unknown> = Promise.resolve();
  readonly #host: BacklogHost;
  /** Of everything that was taken, and of those whose entries the journal has let go of. */
  readonly #origins: Origins;
  readonly #trimmed: Origins;
  /** The end of all attempts to give the session a stream or to leave it to another node: one at a time. */
  #turns: Promise<unknown> = Promise.resolve();
  /** Everything that it had taken, and that was not acknowledged, has gone elsewhere. */
  readonly #departed = Promise.withResolvers<void>();
  #isDeparted = false;
  /** The number of the last stanza that was written, once the session is being left to another node. */
  #left: number | undefined;

  constructor(session: Session, host: BacklogHost, maxSeconds: number, from?: Predecessor, most?: MostOrigins) {
    this.session = session;
    this.maxSeconds = maxSeconds;
    this.#host = host;
    this.#origins = new Origins(from?.header.origins, most?.taken);
    this.#trimmed = new Origins(from?.header.origins, most?.trimmed);
    this.journal = new JournalWriter(
      {
        session,
        store: host.store,
        all: () => this.#all,
        header: () => this.#header,
        record: (epoch) => host.record(epoch),
        onReady: () => host.onReady(),
        onFenced: () => host.onFenced(),
        onFault: (error) => host.onFault(error),
        again: () => host.again(),
        isUndisputed: (epoch) => host.isUndisputed(epoch),
      },
      from?.epoch ?? 1,
      from?.header.handled ?? 0,
      from && (from.header.counts ?? { ...NO_COUNTS, entered: from.entries.length }),
    );
    if (from === undefined) return;
    this.attached = false;
    this.sent.restore(from.entries, from.header.sent);
    for (const { origin } of from.entries) if (origin !== undefined) this.#origins.add(origin);
  }

  get resumable(): boolean {
    return this.maxSeconds > 0;
  }

  get epoch(): number {
    return this.journal.epoch;
  }

  get detached(): boolean {
    return !this.attached;
  }

  /** Nothing waits, is on its way, or has still to be let go of. */
  get empty(): boolean {
    return this.#all.length === 0 && this.journal.written === undefined;
  }

  /** When the oldest stanza was taken that was not acknowledged: milliseconds since 1970. */
  get unacknowledgedSince(): number | undefined {
    return this.sent.all[0]?.at;
  }

  get #all(): readonly Sent[] {
    return this.#leaving.length === 0 ? this.sent.all : [...this.#leaving, ...this.sent.all];
  }

  get #header(): Omit<JournalHeader, 'counts'> {
    return { handled: this.#host.handled(), origins: this.#trimmed.entries(), sent: this.#left };
  }

  /** Takes a stanza. The promise, if there is one, resolves when it is committed. */
  take(text: string, origin: Origin | undefined, journaled: boolean, span?: Span): Awaitable<void> {
    if (journaled && origin !== undefined && !this.#origins.add(origin)) {
      span?.end();
      // it came before, but may be on its way into the journal still, or not get there if the session is another node's
      return this.journal.written?.then(() => this.#gone(origin));
    }
    const sent = this.sent.add(text, origin, journaled, false, span);
    if (journaled) return this.#append(sent);
    this.#host.onReady();
  }

  /**
   * Takes a stanza that can be written at once, and of which nobody was told that it is safe: the journal gets it where it
   * is not acknowledged when its stream is over.
   */
  takeUnsafe(text: string, span?: Span): void {
    this.sent.add(text, undefined, false, true, span);
    this.#host.onReady();
  }

  /** The stream is over: the journal gets what it was spared until now. */
  async keepRest(): Promise<void> {
    if (!this.sent.all.some(({ later }) => later)) return;
    await this.journal.takeOver(() => {
      for (const sent of this.sent.all) {
        if (!sent.later) continue;
        this.#enter(sent);
        sent.keep();
      }
    });
  }

  /** The journal gets it with the next takeover. */
  #enter(sent: Sent): void {
    if (sent.journaled) return;
    sent.journaled = true;
    this.journal.counting.enter(1);
  }

  async #append(sent: Sent): Promise<void> {
    await this.journal.append(sent);
    if (!sent.ready) await this.#gone(sent.origin);
  }

  /**
   * What an ended session did not commit is safe when it has gone elsewhere; whoever waits sends it after one that moved.
   * Copies go nowhere.
   */
  #gone(origin: Origin | undefined): Promise<void> | undefined {
    if (origin?.effect === COPY) return undefined;
    return this.session.ended && !this.session.movedAway ? this.#departed.promise : undefined;
  }

  /** Whether a stanza of this origin, or a later one of its sender, was taken before. */
  had(origin: Origin): boolean {
    return this.#origins.has(origin);
  }

  /** Everything up to the number `h` has arrived. */
  acknowledge(h: number): void {
    const taken = this.sent.acknowledge(h);
    if (this.#leaving.length > 0) {
      this.settle(taken);
      this.#acknowledged.push(...taken);
    } else {
      this.#forget(taken);
      this.#trim(taken, 'delivered');
    }
  }

  /** Of entries at the head of the journal. */
  #trim(taken: readonly Sent[], fate: Fate): void {
    for (const { journaled } of taken) if (journaled) this.journal.trim(fate);
  }

  /** The next takeover has the journal let go of these entries, of which this became. */
  settle(taken: readonly Sent[], fate: Fate = 'delivered'): void {
    this.#forget(taken);
    this.journal.counting.remove(fate, taken.filter(({ journaled }) => journaled).length);
  }

  /**
   * Takes some out of those that have not been written, has `away` see to it that they are elsewhere, and has the journal let
   * go of them when they are, as bounced: whoever takes the session over before that does it once more. `parted` says how
   * many of them leave at the same time, one part after the other.
   */
  async takeOut(
    goes: (sent: Sent) => boolean,
    away: (taken: readonly Sent[]) => Awaitable<void>,
    parted: (taken: readonly Sent[]) => Iterable<readonly Sent[]> = (taken) => [taken],
  ): Promise<void> {
    const before = this.sent.all.filter(({ journaled }) => journaled);
    const taken = this.sent.takeOut(goes);
    if (taken.length === 0) return;
    const kept = taken.filter(({ journaled }) => journaled);
    // the oldest ones of the journal can be trimmed, once those are gone that left before
    const oldest = kept.every((sent, place) => sent === before[place]);
    for (const sent of taken) sent.out = undefined; // what follows has its number
    this.#leaving = [...this.#leaving, ...kept];
    const gone = this.#departures.then(() => this.#leave(parted(taken), oldest, away));
    this.#departures = gone.catch(() => {}); // who has it done is told
    await gone;
  }

  async #leave(
    parts: Iterable<readonly Sent[]>,
    oldest: boolean,
    away: (taken: readonly Sent[]) => Awaitable<void>,
  ): Promise<void> {
    let first = oldest;
    for (const part of parts) {
      await away(part);
      const kept = part.filter(({ journaled }) => journaled);
      if (kept.length === 0) continue;
      this.#leaving = this.#leaving.filter((sent) => !kept.includes(sent));
      const any = this.#acknowledged.splice(0).length > 0;
      if (first && !any) {
        this.#forget(kept);
        this.#trim(kept, 'bounced');
        await this.journal.write();
      } else {
        this.settle(kept, 'bounced');
        await this.journal.takeOver(() => {});
        first = true; // the rest is in front of all others there
      }
    }
  }

  /** The journal lets go of these entries, but must know them again. */
  #forget(taken: readonly Sent[]): void {
    for (const { origin } of taken) if (origin !== undefined) this.#trimmed.add(origin);
  }

  /** One after the other: what gives the session a stream, or takes it away. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => {});
    return done;
  }

  /**
   * Leaves everything that was not acknowledged to another node, which takes the session over from the keyspace; nothing is
   * written here any more. `detach` has the session lose its stream: what is written to it afterwards nobody would know of.
   * `left` says that the keyspace has it all; where the session is somebody else's by then, it is not called.
   */
  handOver(detach: () => Awaitable<void>, left: (what: LeftSession) => void): Promise<void> {
    return this.inTurn(() => this.#handOver(detach, left));
  }

  async #handOver(detach: () => Awaitable<void>, left: (what: LeftSession) => void): Promise<void> {
    if (this.session.ended) return;
    await detach();
    // a write that fails rewrites the journal too, so that all of it is there in any case
    await this.journal.takeOver(() => {
      for (const sent of this.sent.all) this.#enter(sent);
      this.#left = this.sent.mostKnown;
    });
    this.journal.close();
    if (this.session.ended) return;
    const { handled, origins, sent } = this.#header;
    for (const each of this.sent.all) this.#enter(each); // what came meanwhile goes along
    const counts = this.journal.counting.rewritten();
    const header = { handled, origins: new Map(origins), sent, counts };
    left({ record: this.#host.record(this.epoch), header, entries: numbered(this.#all, counts) });
  }

  /** What others can read of the session in the keyspace is as it is now, once this resolves. */
  recorded(): Promise<void> {
    this.journal.changed();
    return this.journal.write();
  }

  /** The store knows all of the session that was committed to it. */
  get asserted(): boolean {
    return !this.journal.lost;
  }

  /** The store that answers from now on may lack the newest writes: see `JournalWriter`. */
  storeChanged(): void {
    this.journal.storeChanged();
  }

  /** What it left behind has gone elsewhere. */
  departed(): void {
    this.#isDeparted = true;
    this.#departed.resolve();
  }

  /** It has: so what is said to be taken only now was not committed. */
  get isDeparted(): boolean {
    return this.#isDeparted;
  }

  /** The session is over, and all is settled: what was not acknowledged, in order. */
  takeAll(): Sent[] {
    this.attached = false;
    this.journal.close();
    return this.sent.takeAll();
  }
}
