import { setTimeout as delay } from 'node:timers/promises';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd } from '@parley/xmpp/serial';
import type { Stanza } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import { isJournaled } from './journaled.ts';
import { Origins } from './origins.ts';
import type { JournalEntry } from './resumption/journal-entry.ts';
import type { JournalHeader } from './resumption/journal-header.ts';
import type { ResumptionRecord } from './resumption/resumption-record.ts';
import type { ResumptionStore } from './resumption/resumption-store.ts';
import type { Session } from './session.ts';
import { type Sent, Unacknowledged } from './unacknowledged.ts';

export interface ManagementHost {
  readonly store: ResumptionStore;
  limits(): { readonly maxStanzas: number; readonly maxBytes: number };
  /** What is needed to have the session back without its client's help. */
  recordOf(session: Session, epoch: number, maxSeconds: number): ResumptionRecord;
}

/** Between two attempts to write to a keyspace that is away. */
const RETRY_MS = 250;

/**
 * XEP-0198 for one session: counts what comes and what goes, keeps what is not acknowledged, and, where the session is
 * resumable, keeps in the journal what must outlive this process. Nothing is acknowledged before it is committed there.
 */
export class Management {
  readonly session: Session;
  /** Seconds that the session waits for its client when its stream is lost; 0 where it cannot be resumed. */
  readonly maxSeconds: number;
  readonly #host: ManagementHost;
  readonly #sent = new Unacknowledged();
  /** Of everything that was taken for the client, and of those whose entries the journal has let go of. */
  readonly #origins: Origins;
  readonly #trimmed: Origins;
  #epoch: number;
  /** Inbound stanzas that were dealt with, and how many of them the journal knows of. */
  #handled: number;
  #persisted: number;
  /** Entries at the journal's head that were acknowledged. */
  #trim = 0;
  #record = '';
  readonly #unjournaled: { sent: Sent; out: number | undefined }[] = [];
  #appending: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #saveAgain = false;
  #attached = true;
  #resuming: Promise<void> | undefined;
  /** A predecessor in another process wrote to the client what is not known here. */
  #restored: boolean;
  /** The client was asked to acknowledge, and has not yet. */
  #asked = false;

  constructor(
    session: Session,
    host: ManagementHost,
    maxSeconds: number,
    from?: { epoch: number; header: JournalHeader },
  ) {
    this.session = session;
    this.maxSeconds = maxSeconds;
    this.#host = host;
    this.#epoch = from?.epoch ?? 1;
    this.#handled = from?.header.handled ?? 0;
    this.#persisted = this.#handled;
    this.#origins = new Origins(from?.header.origins);
    this.#trimmed = new Origins(from?.header.origins);
    this.#attached = from === undefined;
    this.#restored = from !== undefined;
  }

  get resumable(): boolean {
    return this.maxSeconds > 0;
  }

  get handled(): number {
    return this.#handled;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get detached(): boolean {
    return !this.#attached;
  }

  /** The number of the stanza that comes next. */
  get nextInbound(): number {
    return serialAdd(this.#handled, 1);
  }

  /** A stanza from the client has been dealt with: what it brought about is committed. */
  onHandled(): void {
    this.#handled = this.nextInbound;
  }

  // --- to the client ----------------------------------------------------------------------------------------------

  /** Takes a stanza for the client. The promise, if there is one, resolves when it is committed. */
  send(stanza: Stanza): Awaitable<void> {
    if (this.#resuming !== undefined) return this.#resuming.then(() => this.send(stanza));
    const text = Buffer.from(stanza.toString()).toString();
    const { origin } = stanza;
    const journaled = this.resumable && isJournaled(stanza, text.length);
    if (journaled && origin !== undefined && !this.#origins.add(origin)) return; // it came before
    const sent: Sent = { text, origin, journaled, at: Date.now(), out: undefined, ready: !journaled };
    this.#sent.add(sent);
    if (this.#isTooMuch()) return;
    if (!journaled) {
      this.#write();
      return;
    }
    this.#unjournaled.push({ sent, out: this.#attached ? this.#sent.lastNumber : undefined });
    this.#appending ??= this.#append().finally(() => {
      this.#appending = undefined;
    });
    return this.#appending;
  }

  /** One write at a time, so that the journal has the order of the session whatever happens to a write. */
  async #append(): Promise<void> {
    while (this.#unjournaled.length > 0) {
      await undefined; // all of this turn goes in one write
      const batch = this.#unjournaled.splice(0);
      const entries = batch.map(({ sent, out }) => entryOf(sent, out));
      const { account, sessionId } = this.session;
      const owned = await this.#persist(() => this.#host.store.append(account, sessionId, this.#epoch, entries));
      if (!owned) this.#fenced();
      for (const { sent } of batch) sent.ready = true;
      this.#write();
    }
  }

  /**
   * Writes until it is committed: nothing that was taken may be lost because the keyspace is away for a while. Where
   * nobody knows whether a write was done, the whole journal is written anew, from what is known here.
   */
  async #persist(write: () => Promise<boolean>): Promise<boolean> {
    let unknown = false;
    for (;;) {
      try {
        return await (unknown ? this.#takeOver() : write());
      } catch (error) {
        if (!(error instanceof KeyspaceError) || error.failure === 'closed' || this.session.ended) throw error;
        unknown ||= error.outcome === 'unknown';
        await delay(RETRY_MS);
      }
    }
  }

  #isTooMuch(): boolean {
    const { maxStanzas, maxBytes } = this.#host.limits();
    if (this.#sent.size <= maxStanzas && this.#sent.bytes <= maxBytes) return false;
    const { stream } = this.session;
    stream.host.onLimit(stream, this.#sent.size > maxStanzas ? 'unacknowledged-stanzas' : 'unacknowledged-bytes');
    this.session.giveUp('too much is not acknowledged');
    return true;
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

  /** One request at a time: each answer brings the next, as long as something is not acknowledged. */
  #ask(): void {
    this.#asked = true;
    this.session.stream.send(`<r xmlns='${NS.streamManagement}'/>`);
  }

  /** The client has got everything up to `h` (§4). Throws a StreamError where it counts more than was sent. */
  acknowledge(h: number): void {
    const count = this.#sent.count;
    const taken = this.#sent.acknowledge(h);
    if (taken === undefined) throw tooHigh(h, count);
    this.#acknowledged(taken);
    this.#asked = false;
    if (this.#sent.written > 0) this.#ask();
  }

  #acknowledged(taken: readonly Sent[]): void {
    this.#forget(taken);
    for (const { journaled } of taken) if (journaled) this.#trim++;
    // at once: a successor of this process must not take it for unacknowledged
    if (this.#trim > 0) void this.save();
  }

  /** The journal lets go of these entries, but must know them again. */
  #forget(taken: readonly Sent[]): void {
    for (const { origin } of taken) if (origin !== undefined) this.#trimmed.add(origin);
  }

  // --- from the client --------------------------------------------------------------------------------------------

  /** `<r/>`: answered once the journal knows as much as is acknowledged. */
  answer(): void {
    const h = this.#handled;
    const { stream } = this.session;
    const acknowledge = () => stream.send(`<a xmlns='${NS.streamManagement}' h='${h}'/>`);
    if (!this.resumable || this.#persisted === h) acknowledge();
    else void this.save().then(acknowledge);
  }

  /** Has the journal know what was handled and acknowledged, and how the session is now. */
  save(): Promise<void> {
    if (this.#saving !== undefined) {
      this.#saveAgain = true;
      return this.#saving.then(() => (this.#saveAgain ? this.save() : this.#saving));
    }
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #save(): Promise<void> {
    this.#saveAgain = false;
    const { store } = this.#host;
    const { session } = this;
    const handled = this.#handled;
    const trim = this.#trim;
    this.#trim = 0;
    const record = this.#host.recordOf(session, this.#epoch, this.maxSeconds);
    const text = JSON.stringify(record);
    const changed = text !== this.#record;
    this.#record = text;
    const header = { handled, origins: this.#trimmed.entries() };
    const owned = await this.#persist(async () => {
      const done = await Promise.all([
        changed ? store.update(session.account, record) : true,
        store.checkpoint(session.account, session.sessionId, this.#epoch, header, trim),
      ]);
      return !done.includes(false);
    });
    if (owned) this.#persisted = handled;
    else this.#fenced();
  }

  // --- streams ----------------------------------------------------------------------------------------------------

  /** The stream is lost: everything waits. */
  detach(): void {
    this.#attached = false;
    this.#asked = false;
    if (this.resumable && !this.session.ended) void this.save();
  }

  /** What a predecessor in another process had journaled: it is here again, and waits. */
  restore(entries: readonly JournalEntry[]): void {
    const numbers = new Set<number>();
    for (const { text, origin, at, out } of entries) {
      // a write whose outcome was unknown may have been done twice
      if (origin !== undefined && !this.#origins.add(origin)) continue;
      if (out !== undefined && numbers.has(out)) continue;
      if (out !== undefined) numbers.add(out);
      this.#sent.add({ text, origin, journaled: true, at, out, ready: true });
    }
  }

  /** Goes on with another stream, whose client has got everything up to `h` (§5). */
  async resume(stream: Stream, h: number, id: string): Promise<void> {
    if (!this.#restored) {
      const count = this.#sent.count;
      const taken = this.#sent.acknowledge(h);
      if (taken === undefined) throw tooHigh(h, count);
      this.#forget(taken);
    }
    this.session.release();
    this.#attached = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resuming = promise;
    try {
      await this.#appending;
      await this.#saving;
      this.#restored = false;
      this.#forget(this.#sent.resume(h));
      // nothing may be written before the journal has the numbers that it will have on the new stream
      if (this.resumable && !(await this.#persist(() => this.#takeOver()))) this.#fenced();
      if (this.session.ended) return;
      for (const sent of this.#sent.all) sent.ready = true;
      this.#attached = true;
      this.session.attach(stream);
      const previd = escapeAttribute(id);
      stream.send(`<resumed xmlns='${NS.streamManagement}' h='${this.#handled}' previd='${previd}'/>`);
      this.#write();
    } finally {
      this.#resuming = undefined;
      resolve();
    }
  }

  /** The journal gets everything that is known here, under a new epoch. False where the session is somebody else's. */
  async #takeOver(): Promise<boolean> {
    const { account, jid, sessionId } = this.session;
    const { store } = this.#host;
    const kept = await store.read(account, sessionId);
    if (kept === undefined) return false;
    const journaled = this.#sent.all.filter((sent) => sent.journaled);
    const entries = journaled.map((sent) => entryOf(sent, sent.out));
    const handled = this.#handled;
    const header = { handled, origins: this.#trimmed.entries() };
    const from = kept.record.epoch;
    if (!(await store.takeOver(account, jid.resource, sessionId, from, header, entries))) return false;
    this.#epoch = from + 1;
    this.#persisted = handled;
    this.#trim = 0;
    return true;
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#appending, this.#saving]);
  }

  /** The session is over: what its client has not acknowledged, in order. */
  takeUnacknowledged(): Sent[] {
    this.#attached = false;
    return this.#sent.takeAll();
  }

  #fenced(): void {
    this.session.giveUp('another node has taken the session over');
  }
}

const entryOf = ({ text, origin, at }: Sent, out: number | undefined): JournalEntry => ({ out, origin, at, text });

/** §6: the client counts more than it was sent. */
function tooHigh(h: number, count: number): StreamError {
  const application = Element.of('handled-count-too-high', NS.streamManagement, { h, 'send-count': count });
  return new StreamError('undefined-condition', `You acknowledged ${h} stanzas of ${count}.`, application);
}
