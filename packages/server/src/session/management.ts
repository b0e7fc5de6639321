import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd } from '@parley/xmpp/serial';
import type { Stanza, StanzaKind } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import { Backlog, type Predecessor } from './backlog.ts';
import { isJournaled } from './journaled.ts';
import type { ResumptionStore } from './resumption/resumption-store.ts';
import type { Session } from './session.ts';
import { recordOf } from './session-record.ts';

export interface ManagementHost {
  readonly store: ResumptionStore;
  limits(): { readonly maxStanzas: number; readonly maxBytes: number };
  /** Resolves when another attempt to write to a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** Calls `done` when the keyspace has worked for so many milliseconds; the returned function ends it. */
  upFor(milliseconds: number, done: () => void): () => void;
  onFault(error: unknown): void;
  /** Whether no other node has a session under a higher epoch: see `OtherNodes`. */
  isUndisputed(session: Session, epoch: number): Promise<boolean>;
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

/**
 * XEP-0198 for one session: counts what comes and what goes, keeps what is not acknowledged, and, where the session is
 * resumable, keeps in the journal what must outlive this process. Nothing is acknowledged before it is committed there.
 */
export class Management {
  readonly session: Session;
  readonly backlog: Backlog;
  readonly #host: ManagementHost;
  /** Inbound stanzas that were dealt with, modulo 2^32. */
  #handled: number;
  /** The inbound stanza that is being dealt with. */
  #handling: Promise<void> | undefined;
  /** The client was asked to acknowledge, and has not yet; and the last stanza that it was asked for. */
  #asked = false;
  #askedFor = 0;
  /** The client has asked and gets its answer when the journal knows as much; whether it has asked again meanwhile. */
  #answering = false;
  #askedAgain = false;

  /** `maxSeconds` is how long the session waits for its client when its stream is lost; 0 where it cannot be resumed. */
  constructor(session: Session, host: ManagementHost, maxSeconds: number, from?: Predecessor) {
    this.session = session;
    this.#host = host;
    this.#handled = from?.header.handled ?? 0;
    this.backlog = new Backlog(
      session,
      {
        store: host.store,
        again: () => host.again(),
        isUndisputed: (epoch) => host.isUndisputed(session, epoch),
        onReady: () => this.#write(),
        onFenced: () => host.onFenced(session),
        onFault: (error) => host.onFault(error),
        handled: () => this.#handled,
        record: (epoch) => recordOf(session, epoch, maxSeconds),
      },
      maxSeconds,
      from,
    );
  }

  get maxSeconds(): number {
    return this.backlog.maxSeconds;
  }

  get resumable(): boolean {
    return this.backlog.resumable;
  }

  get epoch(): number {
    return this.backlog.epoch;
  }

  /** More than half of what may wait for an acknowledgement does: what can wait elsewhere should. */
  get full(): boolean {
    const { maxStanzas, maxBytes } = this.#host.limits();
    const { sent } = this.backlog;
    return sent.size > maxStanzas / 2 || sent.bytes > maxBytes / 2;
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
    if (this.resumable && kind !== 'message') this.backlog.journal.changed();
  }

  /** `<r/>` (§4): answered once the journal knows as much as is acknowledged. */
  answer(): void {
    if (this.#answering) {
      this.#askedAgain = true;
      return;
    }
    const { persisted } = this.backlog.journal;
    if (!this.resumable || persisted === this.#handled) {
      this.session.stream.send(`<a xmlns='${NS.streamManagement}' h='${this.#handled}'/>`);
      return;
    }
    this.#answering = true;
    void this.backlog.journal.writeHandled().then(() => this.#answered());
  }

  #answered(): void {
    this.#answering = false;
    const again = this.#askedAgain;
    this.#askedAgain = false;
    if (!this.backlog.attached || this.backlog.journal.over) return;
    this.session.stream.send(`<a xmlns='${NS.streamManagement}' h='${this.backlog.journal.persisted}'/>`);
    if (again) this.answer();
  }

  // --- to the client ----------------------------------------------------------------------------------------------

  /** Takes a stanza for the client. The promise, if there is one, resolves when it is committed. */
  send(stanza: Stanza): Awaitable<void> {
    const text = Buffer.from(stanza.toString()).toString();
    const committed = this.backlog.take(text, stanza.origin, this.resumable && isJournaled(stanza, text.length));
    this.#checkSize();
    return committed;
  }

  #checkSize(): void {
    const { maxStanzas, maxBytes } = this.#host.limits();
    if (this.backlog.sent.size <= maxStanzas && this.backlog.sent.bytes <= maxBytes) return;
    const { stream } = this.session;
    stream.host.onLimit(
      stream,
      this.backlog.sent.size > maxStanzas ? 'unacknowledged-stanzas' : 'unacknowledged-bytes',
    );
    this.session.giveUp('too much is not acknowledged');
  }

  /** Writes what is ready, in order. */
  #write(): void {
    if (!this.backlog.attached) return;
    const { stream } = this.session;
    let any = false;
    for (let sent = this.backlog.sent.next(); sent !== undefined; sent = this.backlog.sent.next()) {
      stream.send(sent.text);
      any = true;
    }
    if (any && !this.#asked) this.#ask();
  }

  /** One request at a time: its answer brings the next one, where something was written meanwhile. */
  #ask(): void {
    this.#asked = true;
    this.#askedFor = this.backlog.sent.count;
    this.session.stream.send(`<r xmlns='${NS.streamManagement}'/>`);
  }

  /** `<a/>` (§4): the client has got everything up to `h`. Throws a StreamError where it counts more than was sent. */
  acknowledge(h: number): void {
    this.#check(h);
    const { full } = this;
    this.backlog.acknowledge(h);
    this.#asked = false;
    if (this.backlog.sent.written > 0 && this.backlog.sent.count !== this.#askedFor) this.#ask();
    if (full && !this.full) this.#host.onDrained(this.session);
  }

  /** §6 */
  #check(h: number): void {
    if (this.backlog.sent.allows(h)) return;
    const count = this.backlog.sent.mostKnown ?? this.backlog.sent.count;
    const application = Element.of('handled-count-too-high', NS.streamManagement, { h, 'send-count': count });
    throw new StreamError('undefined-condition', `You acknowledged ${h} stanzas of ${count}.`, application);
  }

  // --- streams ----------------------------------------------------------------------------------------------------

  /** The stream is lost: everything waits. */
  detach(): void {
    this.backlog.attached = false;
    this.#asked = false;
    void this.backlog.journal.write();
  }

  /**
   * Goes on with another stream, whose client has got everything up to `h` (§5). `tell` is given what the client is to be
   * told before anything else. False where the session or the stream has ended meanwhile. Rejects with a StreamError where
   * the client counts more than was sent.
   */
  resume(stream: Stream, h: number, tell: (handled: number) => void): Promise<boolean> {
    return this.backlog.inTurn(() => this.#resume(stream, h, tell));
  }

  async #resume(stream: Stream, h: number, tell: (handled: number) => void): Promise<boolean> {
    if (this.session.ended || stream.closed) return false;
    // another node may have had it meanwhile, and have written more than is known here
    if (!this.backlog.sent.allows(h) && !(await this.backlog.journal.takeOver(() => {}))) return false;
    this.#check(h);
    const attached = this.backlog.attached;
    this.backlog.attached = false;
    this.#asked = false;
    if (attached) this.session.release();
    await this.#handling; // it counts for what the client is told
    // nothing may be written before the journal has the numbers that it has on the new stream
    const { full } = this;
    const owned = await this.backlog.journal.takeOver(() => this.backlog.settle(this.backlog.sent.resume(h)));
    if (!owned || this.session.ended) return false;
    if (stream.closed) {
      if (attached) this.session.detach('it was to be resumed');
      return false;
    }
    this.session.attach(stream);
    this.backlog.attached = true;
    tell(this.#handled);
    this.#write();
    if (full && !this.full) this.#host.onDrained(this.session);
    return true;
  }

  /** Resolves when the inbound stanza that is being dealt with at the moment is done with. */
  get handling(): Promise<void> | undefined {
    return this.#handling;
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
    if (this.resumable) void this.backlog.journal.write();
    await this.backlog.journal.idle();
  }
}
