import { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd } from '@parley/xmpp/serial';
import type { Origin, Stanza, StanzaKind } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import { entryOf, JournalWriter } from './journal-writer.ts';
import { isJournaled } from './journaled.ts';
import { COPY, Origins } from './origins.ts';
import type { JournalEntry } from './resumption/journal-entry.ts';
import type { JournalHeader } from './resumption/journal-header.ts';
import type { ResumptionRecord, ResumptionStore } from './resumption/resumption-store.ts';
import type { Session } from './session.ts';
import { recordOf } from './session-record.ts';
import { type Sent, Unacknowledged } from './unacknowledged.ts';

export interface ManagementHost {
  readonly store: ResumptionStore;
  limits(): { readonly maxStanzas: number; readonly maxBytes: number };
  /** Resolves when another attempt to write to a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** Calls `done` when the keyspace has worked for so many milliseconds; the returned function ends it. */
  upFor(milliseconds: number, done: () => void): () => void;
  onFault(error: unknown): void;
  /** It is gone from the keyspace, or another node has taken it over. */
  onFenced(session: Session): void;
  /** It is `full` no longer. */
  onDrained(session: Session): void;
}

/**
 * Two sessions that ended may each wait for what they sent the other to go elsewhere, which it does when both are settled:
 * after so many milliseconds what is being dealt with does not count as handled. While the keyspace is away it waits for
 * that, as it may for a node that stands still: what counts as handled too late is said again by the client.
 */
const HANDLING_MS = 15_000;

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

/**
 * XEP-0198 for one session: counts what comes and what goes, keeps what is not acknowledged, and, where the session is
 * resumable, keeps in the journal what must outlive this process. Nothing is acknowledged before it is committed there.
 */
export class Management {
  readonly session: Session;
  /** Seconds that the session waits for its client when its stream is lost; 0 where it cannot be resumed. */
  readonly maxSeconds: number;
  readonly #host: ManagementHost;
  readonly #journal: JournalWriter;
  readonly #sent = new Unacknowledged();
  /** Of everything that was taken for the client, and of those whose entries the journal has let go of. */
  readonly #origins: Origins;
  readonly #trimmed: Origins;
  /** Inbound stanzas that were dealt with, modulo 2^32. */
  #handled: number;
  /** The inbound stanza that is being dealt with. */
  #handling: Promise<void> | undefined;
  #attached = true;
  /** The end of all attempts to resume the session or to leave it to another node: one at a time. */
  #streamsChanged: Promise<unknown> = Promise.resolve();
  /** The client was asked to acknowledge, and has not yet; and the last stanza that it was asked for. */
  #asked = false;
  #askedFor = 0;
  /** The client has asked and gets its answer when the journal knows as much; whether it has asked again meanwhile. */
  #answering = false;
  #askedAgain = false;
  /** Everything that it had taken, and that its client had not acknowledged, has gone elsewhere. */
  readonly #departed = Promise.withResolvers<void>();
  /** The number of the last stanza that was written, once the session is being left to another node. */
  #left: number | undefined;

  constructor(session: Session, host: ManagementHost, maxSeconds: number, from?: Predecessor) {
    this.session = session;
    this.maxSeconds = maxSeconds;
    this.#host = host;
    this.#handled = from?.header.handled ?? 0;
    this.#origins = new Origins(from?.header.origins);
    this.#trimmed = new Origins(from?.header.origins);
    this.#journal = new JournalWriter(
      {
        session,
        store: host.store,
        all: () => this.#sent.all,
        header: () => ({ handled: this.#handled, origins: this.#trimmed.entries(), sent: this.#left }),
        record: (epoch) => recordOf(session, epoch, maxSeconds),
        onReady: () => this.#write(),
        onFenced: () => host.onFenced(session),
        onFault: (error) => host.onFault(error),
        again: () => host.again(),
      },
      from?.epoch ?? 1,
      this.#handled,
    );
    if (from === undefined) return;
    this.#attached = false;
    this.#sent.restore(from.entries, from.header.sent);
    for (const { origin } of from.entries) if (origin !== undefined) this.#origins.add(origin);
  }

  get resumable(): boolean {
    return this.maxSeconds > 0;
  }

  get epoch(): number {
    return this.#journal.epoch;
  }

  get detached(): boolean {
    return !this.#attached;
  }

  /** When the oldest stanza was taken that the client has not acknowledged: milliseconds since 1970. */
  get unacknowledgedSince(): number | undefined {
    return this.#sent.all[0]?.at;
  }

  /** More than half of what may wait for an acknowledgement does: what can wait elsewhere should. */
  get full(): boolean {
    const { maxStanzas, maxBytes } = this.#host.limits();
    return this.#sent.size > maxStanzas / 2 || this.#sent.bytes > maxBytes / 2;
  }

  // --- from the client --------------------------------------------------------------------------------------------

  /** The number of the stanza that comes next. */
  get nextInbound(): number {
    return serialAdd(this.#handled, 1);
  }

  /** A stanza from the client is dealt with when `done` is: then what it brought about is committed. */
  handle(kind: StanzaKind, done: Awaitable<void>): Awaitable<void> {
    if (!(done instanceof Promise)) return this.#onHandled(kind);
    const handled = done.then(() => this.#onHandled(kind));
    this.#handling = handled.catch(() => {}); // whoever reads the stream is told
    return handled;
  }

  #onHandled(kind: StanzaKind): void {
    this.#handled = this.nextInbound;
    // messages change nothing of the session itself
    if (this.resumable && kind !== 'message') this.#journal.changed();
  }

  /** `<r/>` (§4): answered once the journal knows as much as is acknowledged. */
  answer(): void {
    if (this.#answering) {
      this.#askedAgain = true;
      return;
    }
    const { persisted } = this.#journal;
    if (!this.resumable || persisted === this.#handled) {
      this.session.stream.send(`<a xmlns='${NS.streamManagement}' h='${this.#handled}'/>`);
      return;
    }
    this.#answering = true;
    void this.#journal.writeHandled().then(() => this.#answered());
  }

  #answered(): void {
    this.#answering = false;
    const again = this.#askedAgain;
    this.#askedAgain = false;
    if (!this.#attached || this.#journal.over) return;
    this.session.stream.send(`<a xmlns='${NS.streamManagement}' h='${this.#journal.persisted}'/>`);
    if (again) this.answer();
  }

  // --- to the client ----------------------------------------------------------------------------------------------

  /** Takes a stanza for the client. The promise, if there is one, resolves when it is committed. */
  send(stanza: Stanza): Awaitable<void> {
    const text = Buffer.from(stanza.toString()).toString();
    const { origin } = stanza;
    const journaled = this.resumable && isJournaled(stanza, text.length);
    if (journaled && origin !== undefined && !this.#origins.add(origin)) {
      // it came before, but may be on its way into the journal still, or not get there if the session is another node's
      return this.#journal.written?.then(() => this.#gone(origin));
    }
    const sent = this.#sent.add(text, origin, journaled);
    const committed = journaled ? this.#append(sent) : this.#write();
    this.#checkSize();
    return committed;
  }

  async #append(sent: Sent): Promise<void> {
    await this.#journal.append(sent);
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

  /** Whether a stanza of this origin, or a later one of its sender, was taken for the client before. */
  had(origin: Origin): boolean {
    return this.#origins.has(origin);
  }

  #checkSize(): void {
    const { maxStanzas, maxBytes } = this.#host.limits();
    if (this.#sent.size <= maxStanzas && this.#sent.bytes <= maxBytes) return;
    const { stream } = this.session;
    stream.host.onLimit(stream, this.#sent.size > maxStanzas ? 'unacknowledged-stanzas' : 'unacknowledged-bytes');
    this.session.giveUp('too much is not acknowledged');
  }

  /** Writes what is ready, in order. */
  #write(): void {
    if (!this.#attached) return;
    const { stream } = this.session;
    let any = false;
    for (let sent = this.#sent.next(); sent !== undefined; sent = this.#sent.next()) {
      stream.send(sent.text);
      any = true;
    }
    if (any && !this.#asked) this.#ask();
  }

  /** One request at a time: its answer brings the next one, where something was written meanwhile. */
  #ask(): void {
    this.#asked = true;
    this.#askedFor = this.#sent.count;
    this.session.stream.send(`<r xmlns='${NS.streamManagement}'/>`);
  }

  /** `<a/>` (§4): the client has got everything up to `h`. Throws a StreamError where it counts more than was sent. */
  acknowledge(h: number): void {
    this.#check(h);
    const { full } = this;
    const taken = this.#sent.acknowledge(h);
    this.#forget(taken);
    for (const { journaled } of taken) if (journaled) this.#journal.acknowledged();
    this.#asked = false;
    if (this.#sent.written > 0 && this.#sent.count !== this.#askedFor) this.#ask();
    if (full && !this.full) this.#host.onDrained(this.session);
  }

  /** §6 */
  #check(h: number): void {
    if (this.#sent.allows(h)) return;
    const count = this.#sent.mostKnown ?? this.#sent.count;
    const application = Element.of('handled-count-too-high', NS.streamManagement, { h, 'send-count': count });
    throw new StreamError('undefined-condition', `You acknowledged ${h} stanzas of ${count}.`, application);
  }

  /** The journal lets go of these entries, but must know them again. */
  #forget(taken: readonly Sent[]): void {
    for (const { origin } of taken) if (origin !== undefined) this.#trimmed.add(origin);
  }

  // --- streams ----------------------------------------------------------------------------------------------------

  /** The stream is lost: everything waits. */
  detach(): void {
    this.#attached = false;
    this.#asked = false;
    void this.#journal.write();
  }

  /**
   * Goes on with another stream, whose client has got everything up to `h` (§5). False where the session or the stream
   * has ended meanwhile. Rejects with a StreamError where the client counts more than was sent.
   */
  resume(stream: Stream, h: number, id: string): Promise<boolean> {
    return this.#inTurn(() => this.#resume(stream, h, id));
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#streamsChanged.then(work);
    this.#streamsChanged = done.catch(() => {});
    return done;
  }

  async #resume(stream: Stream, h: number, id: string): Promise<boolean> {
    if (this.session.ended || stream.closed) return false;
    // another node may have had it meanwhile, and have written more than is known here
    if (!this.#sent.allows(h) && !(await this.#journal.takeOver(() => {}))) return false;
    this.#check(h);
    const attached = this.#attached;
    this.#attached = false;
    this.#asked = false;
    if (attached) this.session.release();
    await this.#handling; // it counts for what the client is told
    // nothing may be written before the journal has the numbers that it has on the new stream
    const { full } = this;
    const owned = await this.#journal.takeOver(() => this.#forget(this.#sent.resume(h)));
    if (!owned || this.session.ended) return false;
    if (stream.closed) {
      if (attached) this.session.detach('it was to be resumed');
      return false;
    }
    this.session.attach(stream);
    this.#attached = true;
    const previd = escapeAttribute(id);
    stream.send(`<resumed xmlns='${NS.streamManagement}' h='${this.#handled}' previd='${previd}'/>`);
    this.#write();
    if (full && !this.full) this.#host.onDrained(this.session);
    return true;
  }

  /**
   * Leaves everything that the client has not acknowledged to another node, which takes the session over from the
   * keyspace; nothing is written here any more. `detach` has the session lose its stream: what is written to it afterwards
   * nobody would know of. `left` says that the keyspace has it all; where the session is somebody else's by then, it is not
   * called.
   */
  handOver(detach: () => void, left: (what: LeftSession) => void): Promise<void> {
    return this.#inTurn(() => this.#handOver(detach, left));
  }

  async #handOver(detach: () => void, left: (what: LeftSession) => void): Promise<void> {
    if (this.session.ended) return;
    detach();
    await this.#handling;
    // a write that fails rewrites the journal too, so that all of it is there in any case
    await this.#journal.takeOver(() => {
      for (const sent of this.#sent.all) sent.journaled = true;
      this.#left = this.#sent.mostKnown;
    });
    this.#journal.close();
    if (this.session.ended) return;
    const header = { handled: this.#handled, origins: new Map(this.#trimmed.entries()), sent: this.#left };
    left({ record: recordOf(this.session, this.epoch, this.maxSeconds), header, entries: this.#sent.all.map(entryOf) });
  }

  /** What others can read of the session in the keyspace is as it is now, once this resolves. */
  recorded(): Promise<void> {
    this.#journal.changed();
    return this.#journal.write();
  }

  /** The store knows all of the session that was committed to it. */
  get asserted(): boolean {
    return !this.#journal.lost;
  }

  /** The store that answers from now on may lack the newest writes: see `JournalWriter`. */
  storeChanged(): void {
    this.#journal.storeChanged();
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    for (let handling: Promise<void> | undefined; handling !== this.#handling; ) {
      handling = this.#handling;
      if (handling === undefined) break;
      const late = Promise.withResolvers<void>();
      const stop = this.#host.upFor(HANDLING_MS, late.resolve);
      await Promise.race([handling, late.promise]);
      stop();
    }
    if (this.resumable) void this.#journal.write();
    await this.#journal.idle();
  }

  /** What it left behind has gone elsewhere. */
  departed(): void {
    this.#departed.resolve();
  }

  /** The session is over, and all is settled: what its client has not acknowledged, in order. */
  takeUnacknowledged(): Sent[] {
    this.#attached = false;
    this.#journal.close();
    return this.#sent.takeAll();
  }
}
