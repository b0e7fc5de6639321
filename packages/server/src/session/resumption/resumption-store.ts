import { randomBytes } from 'node:crypto';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import { assertPlain, assertResumable, NOT_RESUMABLE } from './asserted-sessions.ts';
import type { Tally } from './counting.ts';
import { memberOf, waitingMemberOf } from './index-member.ts';
import { countsOf, NO_COUNTS } from './journal-counts.ts';
import { decodeEntry, encodeEntry, type JournalEntry } from './journal-entry.ts';
import { decodeHeader, encodeHeader, type JournalHeader } from './journal-header.ts';
import { type JournalWrite, writeJournal } from './journal-write.ts';
import type { KeptSession, SessionMark } from './kept-session.ts';
import {
  endSession,
  keepWaiting,
  openQueue,
  openSession,
  registerSession,
  type SessionBefore,
  takeOver,
  updateSession,
} from './operations.ts';
import { type RecordedSession, RecordedSessions, type WaitingEntries } from './recorded-sessions.ts';
import {
  handledKeys,
  indexOf,
  isQueue,
  journalCountKeys,
  journalKeys,
  partitionOf,
  recordsOf,
  sessionIndexKeys,
  waitingIndexKeys,
  waitingKeys,
} from './resumption-keys.ts';
import { decodeRecord, encodeRecord, fenceOf, ownerOf, type ResumptionRecord } from './resumption-record.ts';

export type { KeptSession, RecordedSession, ResumptionRecord, SessionBefore, SessionMark, WaitingEntries };
export { NOT_RESUMABLE };

export interface ResumptionStoreOptions {
  readonly keyspace: Keyspace;
  /** Tells what this node did from what others did: 16 hexadecimal digits, other ones at each start. */
  readonly owner?: string | undefined;
  /** Hears of what cannot be read and is passed over; it stays where it is. */
  onDamaged(error: KeyspaceError): void;
}

/** How long a client may learn how much of what it sent was handled. */
const HANDLED_KEPT = 48 * 60 * 60 * 1000;

/** How long a command may be on its way that would record a session which has ended meanwhile. */
const OVER_KEPT = 5 * 60 * 1000;

/** More than ever waits of one session. */
const EVERYTHING = 1e9;

/** How often a session is read anew since it got another owner meanwhile. */
const ATTEMPTS = 20;

/**
 * What is recorded of sessions: of those that can be resumed (XEP-0198), which have a journal each, and, where there may
 * be other nodes, of all.
 *
 * A session has one owner at a time, who knows its epoch: `takeOver` counts it up, and from then on whatever the owner
 * before writes is refused, with false. Promises resolve when what they tell is committed.
 *
 * Where a KeyspaceError says that the outcome is `unknown`, all may be tried again as it was, except for `write`,
 * `append` and `checkpoint`: those could be done twice, so that entries are there twice or are trimmed that the client
 * has not got, and what still is on its way could be done later. The owner takes the session over from itself then, with
 * what it knows.
 */
export class ResumptionStore {
  readonly #keyspace: Keyspace;
  readonly #recorded: RecordedSessions;
  /** The id of this node, as records have it. */
  readonly owner: string;
  /** Of all journals that this node writes. */
  readonly tally: Tally = { ...NO_COUNTS };
  /** Sessions that may or may not have ended. */
  readonly #ending = new Set<string>();

  constructor(options: ResumptionStoreOptions) {
    this.#keyspace = options.keyspace;
    this.owner = options.owner ?? randomBytes(8).toString('hex');
    this.#recorded = new RecordedSessions({
      keyspace: options.keyspace,
      onDamaged: options.onDamaged,
      end: (account, resource, sid, epoch) => this.#end(account, resource, sid, epoch),
      waiting: (jid, sid) => this.waiting(jid, sid),
      onNothingWaiting: (jid, sid, owner) => this.keepWaiting(jid, sid, EVERYTHING, owner),
    });
  }

  /**
   * A session is there from now on, which cannot be resumed. Tells which one had the resource before and was not ended,
   * and whose that is.
   */
  register(account: Jid, record: ResumptionRecord): Promise<SessionBefore | undefined> {
    const { resource, sid, epoch } = record;
    const partition = partitionOf(account);
    return this.#keyspace.call(
      registerSession,
      [recordsOf(account), indexOf(account), handledKeys.key(partition, sid)],
      [resource, encodeRecord(record, this.owner), memberOf(account, resource, sid, epoch)],
    );
  }

  /**
   * A session can be resumed from now on. Its id is new; a session that the resource had before is to be ended first. False
   * where it has ended already.
   */
  open(account: Jid, record: ResumptionRecord, header: JournalHeader): Promise<boolean> {
    const { resource, sid, epoch } = record;
    const partition = partitionOf(account);
    return this.#keyspace.call(
      openSession,
      [
        recordsOf(account),
        journalKeys.key(partition, sid, String(epoch)),
        indexOf(account),
        handledKeys.key(partition, sid),
      ],
      [
        resource,
        encodeRecord(record, this.owner),
        memberOf(account, resource, sid, epoch),
        encodeHeader(header),
        memberOf(account, resource, sid, NOT_RESUMABLE),
      ],
    );
  }

  /**
   * A queue to another server is there from now on, unless there is one of this pair of domains: then that is told. Its id
   * is new; may be tried again.
   */
  async openQueue(account: Jid, record: ResumptionRecord, header: JournalHeader): Promise<SessionBefore | undefined> {
    const { resource, sid, epoch } = record;
    const journal = journalKeys.key(partitionOf(account), sid, String(epoch));
    const found = await this.#of(account.withResource(resource)).call(
      openQueue,
      [recordsOf(account), journal, indexOf(account)],
      [resource, encodeRecord(record, this.owner), memberOf(account, resource, sid, epoch), encodeHeader(header)],
    );
    return found?.sid === sid ? undefined : found;
  }

  /** False where the session is somebody else's or gone. */
  update(account: Jid, record: ResumptionRecord): Promise<boolean> {
    const { resource, sid, epoch } = record;
    const keys = [recordsOf(account)];
    return this.#keyspace.call(updateSession, keys, [resource, fenceOf(sid, epoch), encodeRecord(record, this.owner)]);
  }

  /** What `write` knows a journal by. */
  journalOf(account: Jid, sid: string, epoch: number): string {
    return journalKeys.key(partitionOf(account), sid, String(epoch));
  }

  /**
   * Puts entries behind those that the journal has, and, where a header is given, replaces the one that it has and drops
   * `trim` entries, the oldest ones; there must be that many. False where the journal is somebody else's or gone.
   */
  write(account: Jid, journal: string, write: JournalWrite): Promise<boolean> {
    return writeJournal(this.#of(account), journal, write);
  }

  /** Puts entries, at least one, behind those that the journal has. */
  append(account: Jid, sid: string, epoch: number, entries: readonly JournalEntry[]): Promise<boolean> {
    return this.write(account, this.journalOf(account, sid, epoch), { entries, header: undefined, trim: 0 });
  }

  /** Replaces the header and drops so many entries. */
  checkpoint(account: Jid, sid: string, epoch: number, header: JournalHeader, trim: number): Promise<boolean> {
    return this.write(account, this.journalOf(account, sid, epoch), { entries: [], header, trim });
  }

  /** A journal's key does not say whose it is; what goes to another server is its sender's. */
  #of({ bareText, resource, local }: Jid): Keyspace {
    return this.#keyspace.forAccount(local === '' ? resource : bareText);
  }

  /** Undefined where there is no such session. Rejects with `damaged` where it cannot be read. */
  async read(account: Jid, sid: string): Promise<KeptSession | undefined> {
    const partition = partitionOf(account);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#find(account, sid);
      if (found === undefined) return undefined;
      const { record, owner, bytes } = found;
      const elements = await this.#of(account).lrange(journalKeys.key(partition, sid, String(record.epoch)), 0, -1);
      const [header, ...entries] = elements;
      const last = elements.at(-1);
      // Where there is none, somebody has just taken the session over or ended it.
      if (header === undefined || last === undefined) continue;
      const mark = { length: elements.length, first: header, last, record: bytes };
      const counts = countsOf(elements);
      return { record, owner, header: { ...decodeHeader(header), counts }, entries: entries.map(decodeEntry), mark };
    }
    throw new KeyspaceError('damaged', `The journal of a session of ${account} is not where it should be.`);
  }

  /** What is recorded of a session. Rejects with `damaged` where it cannot be read. */
  async find(account: Jid, sid: string): Promise<RecordedSession | undefined> {
    const found = await this.#find(account, sid);
    return found && { account: account.bare, record: found.record, owner: found.owner };
  }

  async #find(account: Jid, sid: string) {
    for (const [resource, bytes] of await this.#keyspace.hgetall(recordsOf(account))) {
      // the id alone: a damaged record of another session must not be in the way
      if (bytes.toString('hex', 1, 9) === sid) {
        return { record: decodeRecord(resource, bytes), owner: ownerOf(bytes), bytes };
      }
    }
    return undefined;
  }

  /** What is recorded of all sessions of an account; what cannot be read is passed over. */
  async list(account: Jid): Promise<readonly RecordedSession[]> {
    const found: RecordedSession[] = [];
    for (const [resource, bytes] of await this.#keyspace.hgetall(recordsOf(account))) {
      const read = async () => ({ account, record: decodeRecord(resource, bytes), owner: ownerOf(bytes) });
      const session = await this.#recorded.passingOver(read);
      if (session !== undefined) found.push(session);
    }
    return found;
  }

  /**
   * Makes the caller the owner, under the epoch `fromEpoch + 1`, with a journal of exactly this header and these
   * entries. False where somebody else has done so or the session is gone, and, where `mark` is given, where anything
   * has changed since it was read: what was appended or acknowledged meanwhile would get lost. Where `record` is given,
   * of the new epoch, it replaces the one that is kept.
   */
  takeOver(
    account: Jid,
    resource: string,
    sid: string,
    fromEpoch: number,
    header: JournalHeader,
    entries: readonly JournalEntry[],
    mark?: SessionMark,
    record?: ResumptionRecord,
  ): Promise<boolean> {
    const epoch = fromEpoch + 1;
    const partition = partitionOf(account);
    return this.#of(account.withResource(resource)).call(
      takeOver,
      [
        recordsOf(account),
        journalKeys.key(partition, sid, String(fromEpoch)),
        journalKeys.key(partition, sid, String(epoch)),
        indexOf(account),
      ],
      [
        resource,
        fenceOf(sid, fromEpoch),
        fenceOf(sid, epoch, this.owner),
        memberOf(account, resource, sid, fromEpoch),
        memberOf(account, resource, sid, epoch),
        mark?.length ?? '',
        ...(mark === undefined ? ['', '', ''] : [mark.first, mark.last, mark.record]),
        record === undefined ? '' : encodeRecord(record, this.owner),
        encodeHeader(header),
        ...entries.map(encodeEntry),
      ],
    );
  }

  /**
   * The owner of a session, which has all of it in memory, tells a keyspace that has lost its newest writes how the session
   * is: the record, this header and these entries are written under a higher epoch than both the record and the keyspace
   * have. Resolves to that epoch; undefined where the keyspace knows of a later owner, or of a session that had its
   * resource later. May be tried again, with what is true by then. A session that was `left` may be here again, as somebody
   * who took it has it: what was left is of the past then, as where another node has taken it.
   */
  reassert(
    account: Jid,
    record: ResumptionRecord,
    header: JournalHeader,
    entries: readonly JournalEntry[],
    { left = false } = {},
  ): Promise<number | undefined> {
    return assertResumable(this.#keyspace, this.owner, account, record, header, entries, left);
  }

  /**
   * The same of a session that cannot be resumed, also where nobody knows whether it was recorded before. Tells which one
   * had the resource; undefined where that came later, and this one is over.
   */
  assert(account: Jid, record: ResumptionRecord): Promise<{ before: SessionBefore | undefined } | undefined> {
    return assertPlain(this.#keyspace, this.owner, account, record);
  }

  /**
   * Takes a session over as it is, from whoever has it, if that is one of whom it may be taken: what that one still has on
   * its way comes to nothing. Undefined where there is no such session, or it may not. Rejects with `damaged` where it
   * cannot be read.
   */
  async claim(
    account: Jid,
    sid: string,
    mayTakeFrom: (owner: string, epoch: number) => boolean = () => true,
  ): Promise<KeptSession | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const kept = await this.read(account, sid);
      if (kept === undefined || !mayTakeFrom(kept.owner, kept.record.epoch)) return undefined;
      const { record, header, entries, mark } = kept;
      const { resource, epoch } = record;
      if (await this.takeOver(account, resource, sid, epoch, header, entries, mark)) {
        return { ...kept, record: { ...record, epoch: epoch + 1 }, owner: this.owner };
      }
    }
    throw new KeyspaceError('damaged', `A session of ${account} has another owner all the time.`);
  }

  /**
   * The session can be resumed no longer. Its entries, which are told, wait from now on for being routed: `keepWaiting`
   * lets go of them. Undefined where the session is somebody else's or gone.
   */
  async end(account: Jid, resource: string, sid: string, epoch: number): Promise<readonly JournalEntry[] | undefined> {
    const unsure = this.#ending.has(sid);
    this.#ending.add(sid);
    const elements = await this.#end(account, resource, sid, epoch);
    const left = async () => (unsure ? this.leftBehind(account, resource, sid) : undefined);
    const entries = elements?.slice(1).map(decodeEntry) ?? (await left());
    this.#ending.delete(sid);
    return entries;
  }

  /** What waits of a session that this node has ended, however; undefined where it waits for somebody else. */
  async leftBehind(account: Jid, resource: string, sid: string): Promise<readonly JournalEntry[] | undefined> {
    const waiting = await this.waiting(account, sid);
    if (waiting.length === 0) return waiting;
    const ended = await this.#keyspace.smembers(waitingIndexKeys.key(partitionOf(account)));
    return ended.map(String).includes(waitingMemberOf(account, resource, sid, this.owner)) ? waiting : undefined;
  }

  #end(account: Jid, resource: string, sid: string, epoch: number): Promise<readonly Buffer[] | undefined> {
    const partition = partitionOf(account);
    return this.#keyspace.call(
      endSession,
      [
        recordsOf(account),
        journalKeys.key(partition, sid, String(epoch)),
        indexOf(account),
        handledKeys.key(partition, sid),
        waitingKeys.key(partition, sid),
        waitingIndexKeys.key(partition),
        journalCountKeys.key(partition),
      ],
      [
        resource,
        fenceOf(sid, epoch),
        memberOf(account, resource, sid, epoch),
        waitingMemberOf(account, resource, sid, this.owner),
        isQueue(account) ? OVER_KEPT : HANDLED_KEPT,
        OVER_KEPT,
      ],
    );
  }

  /** What waits still of what a session left behind. */
  async waiting(account: Jid, sid: string): Promise<readonly JournalEntry[]> {
    const elements = await this.#of(account).lrange(waitingKeys.key(partitionOf(account), sid), 0, -1);
    return elements.map(decodeEntry);
  }

  /**
   * Of what a session left behind, the last `left` entries wait still: those before them were routed, and that is
   * committed. `jid` is the full JID of the session, `owner` who ended it.
   */
  async keepWaiting(jid: Jid, sid: string, left: number, owner = this.owner): Promise<void> {
    const partition = partitionOf(jid);
    const keys = [waitingKeys.key(partition, sid), waitingIndexKeys.key(partition), journalCountKeys.key(partition)];
    const member = waitingMemberOf(jid, jid.resource, sid, owner);
    this.tally.moved += await this.#of(jid).call(keepWaiting, keys, [left, member]);
  }

  /** What sessions left behind that was not routed: a node was killed meanwhile. */
  unfinished(): AsyncGenerator<WaitingEntries, void, undefined> {
    return this.#recorded.unfinished();
  }

  /** How many stanzas a session that ended has handled; undefined where that is not known, or no longer. */
  async lastHandled(account: Jid, sid: string): Promise<number | undefined> {
    const bytes = await this.#keyspace.get(handledKeys.key(partitionOf(account), sid));
    return bytes?.length === 4 ? bytes.readUInt32BE() : undefined;
  }

  /**
   * All sessions that are recorded, in pages and in no order. One whose record is gone, since its account was removed
   * while nobody could end it, is ended on the way: what it left behind is then among the `unfinished`. `index` says
   * whether clients' or those to other servers.
   */
  all(index = sessionIndexKeys): AsyncGenerator<readonly RecordedSession[], void, undefined> {
    return this.#recorded.all(index);
  }
}
