import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { fromHere } from '../tracing/trace.ts';
import { isPassing, untilDone } from './attempts.ts';
import { Counting } from './resumption/counting.ts';
import type { Fate, JournalCounts } from './resumption/journal-counts.ts';
import type { JournalEntry } from './resumption/journal-entry.ts';
import type { JournalHeader } from './resumption/journal-header.ts';
import type { ResumptionRecord } from './resumption/resumption-record.ts';
import type { ResumptionStore } from './resumption/resumption-store.ts';
import type { Sent } from './sent.ts';
import type { Session } from './session.ts';

export interface JournalWriterHost {
  readonly store: ResumptionStore;
  readonly session: Session;
  /** Everything that the client has not acknowledged. */
  all(): readonly Sent[];
  header(): Omit<JournalHeader, 'counts'>;
  record(epoch: number): ResumptionRecord;
  /** More of what waits in order can be written to the client. */
  onReady(): void;
  /** Whether no other node has the session under a higher epoch than this: a store that lacks its newest writes does not know. */
  isUndisputed(epoch: number): Promise<boolean>;
  /** Nothing can be written any more: the session is somebody else's. */
  onFenced(): void;
  onFault(error: unknown): void;
  /** Resolves when another attempt to write is worth it. */
  again(): Promise<void>;
}

/** How long what was acknowledged may wait to be trimmed, and how much of it. */
const TRIM_MS = 250;
const TRIM_MOST = 32;

/** What the `change` of a takeover answers where it concerns the record. */
export const RECORD_CHANGED = Symbol('record changed');

interface Job {
  /** False where the session is somebody else's. */
  work(): Promise<boolean>;
  ended(): void;
}

/**
 * Writes the journal of one session. There is one write at a time: what comes meanwhile goes into the next one, all of
 * it together. Where a write fails, nobody knows for sure what is done of it and what still will be, so the whole journal
 * is written anew under the next epoch, which is tried until it is known to be done.
 *
 * Where the store has lost its newest writes (`storeChanged`), what it has of the session may be of the past: then a
 * refusal proves nothing, and nothing is appended before the whole session was asserted anew, which is not done before all
 * other nodes have said that they do not have it from this one. Only what they and that answer tells whether the session
 * is somebody else's.
 */
export class JournalWriter {
  readonly counting: Counting;
  readonly #host: JournalWriterHost;
  #epoch: number;
  /** What the store knows the journal of this epoch by. */
  #key: string | undefined;
  /** Entries that the journal does not have yet. */
  #waiting: Sent[] = [];
  /** Entries at the head of the journal that were acknowledged. */
  #trim = 0;
  #recordStale = false;
  /** The record that was written last, without its epoch. */
  #record = '';
  /** More is wanted than that new entries are appended: that the journal knows how many inbound stanzas are handled, ... */
  #headerWanted = false;
  /** ... and that what was acknowledged is trimmed. */
  #trimWanted = false;
  /** How many inbound stanzas the journal knows to be handled. */
  #persisted: number;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  /** Counts the times that the store lost its newest writes, and up to which of them the session was asserted anew. */
  #losses = 0;
  #asserted = 0;
  /** The write that has not begun yet, and the end of all that were asked for. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  /** What is to be done, one after the other; undefined while there is nothing. */
  #jobs: Job[] | undefined;

  constructor(host: JournalWriterHost, epoch: number, persisted: number, counts?: JournalCounts) {
    this.#host = host;
    this.counting = new Counting(host.store.tally, counts);
    this.#epoch = epoch;
    this.#persisted = persisted;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get persisted(): number {
    return this.#persisted;
  }

  /** It can write nothing any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Resolves when the entry is committed; then it is ready. */
  append(sent: Sent): Promise<void> {
    this.counting.enter(1);
    this.#waiting.push(sent);
    return this.#soon();
  }

  /**
   * The journal is to let go of its oldest entry. Many of them go together, soon: who is killed before that has as good as
   * not heard the acknowledgements, and the client says them again.
   */
  trim(fate: Fate): void {
    this.counting.trim(fate);
    this.#trim++;
    if (this.#trim >= TRIM_MOST) void this.write();
    else this.#timer ??= setTimeout(() => void this.write(), TRIM_MS).unref();
  }

  /** The session may be another than its record says. */
  changed(): void {
    this.#recordStale = true;
    void this.write();
  }

  /** Has the journal know what is known now. Resolves when that is committed, or never will be; never rejects. */
  write(): Promise<void> {
    this.#trimWanted = true;
    return this.writeHandled();
  }

  /** The same, but for what was acknowledged, which can wait. */
  writeHandled(): Promise<void> {
    this.#headerWanted = true;
    return this.#soon();
  }

  /**
   * The store that answers from now on may lack the newest writes. To be told before anything that it answers is read; the
   * session is asserted with the next write.
   */
  storeChanged(): void {
    this.#losses++;
  }

  /** The store may lack something of the session. */
  get lost(): boolean {
    return this.#asserted !== this.#losses;
  }

  #soon(): Promise<void> {
    this.#next ??= this.#enqueue(() => {
      this.#next = undefined; // what comes from now on is for the next one
      return this.#write();
    });
    return this.#next;
  }

  /**
   * Has a new journal, of a new epoch, hold everything as it is after `change`, which is called when nothing else is being
   * written. The record goes with it where `change` says that it is another now. False where the session is somebody
   * else's, or nothing can be written.
   */
  async takeOver(change: () => unknown): Promise<boolean> {
    await this.#enqueue(() => {
      if (change() === RECORD_CHANGED) this.#recordStale = true;
      return this.#rewrite();
    });
    return !this.#over;
  }

  /** Writes nothing from now on. */
  close(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** Resolves when everything is written that was given to it by now; undefined where it is already. */
  get written(): Promise<void> | undefined {
    return this.#jobs === undefined ? undefined : this.#last;
  }

  /** Resolves when nothing is being written, or waits for it. */
  async idle(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#last; ) {
      last = this.#last;
      await last;
    }
  }

  #enqueue(work: () => Promise<boolean>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    const job = { work: fromHere(work), ended: resolve };
    if (this.#jobs === undefined) {
      this.#jobs = [job];
      queueMicrotask(() => void this.#perform()); // what else there is for it at the moment goes with it
    } else {
      this.#jobs.push(job);
    }
    return promise;
  }

  async #perform(): Promise<void> {
    for (let job = this.#jobs?.shift(); job !== undefined; job = this.#jobs?.shift()) {
      if (!this.#over) {
        try {
          if (await job.work()) {
            this.#host.onReady();
          } else {
            this.#over = true;
            this.#host.onFenced();
          }
        } catch (error) {
          this.#fail(error);
        }
      }
      if (this.#jobs?.length === 0) this.#jobs = undefined;
      job.ended();
    }
  }

  #fail(error: unknown): void {
    this.#over = true;
    if (error instanceof KeyspaceError && error.failure === 'closed') return; // the node stops
    this.#host.onFault(error);
    this.#host.onFenced();
  }

  async #write(): Promise<boolean> {
    if (this.lost) return this.#rewrite();
    const { store, session } = this.#host;
    const { account, jid, sessionId } = session;
    this.#key ??= store.journalOf(account, sessionId, this.#epoch);
    const batch = this.#waiting;
    this.#waiting = [];
    const trim = this.#trimWanted ? this.#trim : 0;
    const counts = this.#trimWanted ? this.counting.trimmed() : this.counting.kept;
    const wanted = this.#headerWanted ? { ...this.#host.header(), counts } : undefined;
    // the record first: a stanza that changed it must not be known to be handled where the change is not known
    const record = wanted === undefined ? undefined : this.#changedRecord(this.#epoch);
    const updated = record === undefined ? undefined : store.update(account, record);
    const header = wanted !== undefined && (trim > 0 || wanted.handled !== this.#persisted) ? wanted : undefined;
    if (this.#trimWanted) this.#resetTrim();
    this.#headerWanted = false;
    if (batch.length === 0 && header === undefined && updated === undefined) return true;
    const written = store.write(jid, this.#key, { entries: numbered(batch, counts), header, trim });
    let owned: boolean;
    try {
      // nothing may still be on its way when the journal is written anew
      owned = updated === undefined ? await written : (await allSettled(updated, written)).every(Boolean);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (record !== undefined) this.#forgetRecord();
      await this.#host.again();
      return this.#rewrite();
    }
    if (this.lost) return this.#rewrite();
    if (!owned) return false;
    if (wanted !== undefined) this.#persisted = wanted.handled;
    for (const sent of batch) sent.ready = true;
    return true;
  }

  #resetTrim(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#trimWanted = false;
    this.#trim = 0;
  }

  /** The record of the session, where it is another than the one that was written last. */
  #changedRecord(epoch: number): ResumptionRecord | undefined {
    if (!this.#recordStale) return undefined;
    this.#recordStale = false;
    const record = this.#host.record(epoch);
    const text = textOf(record);
    if (text === this.#record) return undefined;
    this.#record = text;
    return record;
  }

  #forgetRecord(): void {
    this.#record = '';
    this.#recordStale = true;
  }

  async #rewrite(): Promise<boolean> {
    const kept = this.#host.all().filter((sent) => sent.journaled);
    const { handled, origins, sent } = this.#host.header();
    // the very same each time, whatever happens meanwhile: then the store knows whether it is done already
    const counts = this.counting.rewritten();
    const header = { handled, origins: new Map(origins), sent, counts };
    const entries = numbered(kept, counts);
    // with it: a stanza that changed the record is known to be handled from now on
    const record = this.#changedRecord(this.#epoch + 1);
    this.#waiting = [];
    this.#resetTrim();
    const epoch = await untilDone(
      () => (this.lost ? this.#reassert(header, entries) : this.#advance(header, entries, record)),
      () => this.#host.again(),
    );
    if (epoch === undefined) return false;
    this.#epoch = epoch;
    this.#key = undefined;
    this.#persisted = header.handled;
    for (const sent of kept) sent.ready = true;
    if (this.#recordStale) void this.write();
    return true;
  }

  /** Writes the journal under the next epoch, which it tells; undefined where the session is somebody else's. */
  async #advance(
    header: JournalHeader,
    entries: readonly JournalEntry[],
    record: ResumptionRecord | undefined,
  ): Promise<number | undefined> {
    const { store, session } = this.#host;
    const { account, jid, sessionId } = session;
    const { resource } = jid;
    const epoch = this.#epoch;
    const done = await store.takeOver(account, resource, sessionId, epoch, header, entries, undefined, record);
    if (this.lost) return this.#reassert(header, entries);
    return done ? epoch + 1 : undefined;
  }

  /** The same in a store that may know nothing of this epoch. */
  async #reassert(header: JournalHeader, entries: readonly JournalEntry[]): Promise<number | undefined> {
    const losses = this.#losses;
    const undisputed = await this.#host.isUndisputed(this.#epoch);
    if (!undisputed || this.#host.session.movedAway) return undefined;
    const record = this.#host.record(this.#epoch);
    this.#recordStale = false;
    this.#record = textOf(record);
    const epoch = await this.#host.store.reassert(this.#host.session.account, record, header, entries);
    // another loss since then is for the next write
    if (epoch !== undefined) this.#asserted = losses;
    return epoch;
  }
}

/** What both resolve to, once neither is under way; rejects with the error of the first that failed. */
async function allSettled(...both: readonly [Promise<boolean>, Promise<boolean>]): Promise<boolean[]> {
  await Promise.allSettled(both);
  return Promise.all(both);
}

const textOf = (record: ResumptionRecord): string => JSON.stringify({ ...record, epoch: undefined });

/** Entries as they stand in a journal: the last of them is the last that it got. */
export function numbered(kept: readonly Sent[], { entered }: JournalCounts): JournalEntry[] {
  const first = entered - kept.length + 1;
  // where there are more of them than there ever were, that is to be seen, and not to be a fault
  return kept.map(({ text, origin, at, out }, place) => ({
    out,
    origin,
    at,
    text,
    number: Math.max(0, first + place),
  }));
}
