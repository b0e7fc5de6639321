import { untilDone } from '../session/attempts.ts';
import {
  NOT_RESUMABLE,
  type ResumptionRecord,
  type ResumptionStore,
  type SessionBefore,
} from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import { recordOf } from '../session/session-record.ts';
import type { Sessions } from '../session/sessions.ts';

export interface SessionRegistryHost {
  readonly store: ResumptionStore;
  readonly sessions: Pick<Sessions, 'here'>;
  /** See `OtherNodes`. */
  confirmed(): Promise<void> | undefined;
  /** Resolves when another attempt to write to a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** The resource of a session that was bound just now had another one, of this node or another, that is to end. */
  evict(owner: string, sid: string): void;
  onFault(error: unknown): void;
}

interface Entry {
  /** The record is another than the one that was written last. */
  stale: boolean;
  writing: Promise<void> | undefined;
}

/**
 * Records the sessions of this node in the keyspace, so that others find them there: those that can be resumed are recorded
 * with their journals (`Management`), all others here. One write of a session at a time, each with all that changed.
 */
export class SessionRegistry {
  readonly #host: SessionRegistryHost;
  readonly #entries = new Map<Session, Entry>();

  constructor(host: SessionRegistryHost) {
    this.#host = host;
  }

  /** Writes that are under way. */
  get writing(): number {
    let count = 0;
    for (const { writing } of this.#entries.values()) if (writing !== undefined) count++;
    return count;
  }

  bound(session: Session): void {
    const entry: Entry = { stale: false, writing: undefined };
    this.#entries.set(session, entry);
    this.#write(session, entry, () => this.#register(session));
  }

  changed(session: Session): void {
    const entry = this.#entries.get(session);
    if (entry === undefined || session.backlog?.resumable) return;
    entry.stale = true;
    if (entry.writing === undefined) this.#write(session, entry, () => this.#update(session));
  }

  /**
   * A session has come, here or to another node. Where this node has one with its full JID, that was replaced perhaps, and
   * whoever bound the other one died before it could say so.
   */
  came({ jid, sessionId }: Pick<Session, 'jid' | 'sessionId'>): void {
    for (const own of this.#host.sessions.here(jid)) {
      if (own.sessionId === sessionId || own.jid.resource !== jid.resource) continue;
      void this.#lookFor(own).catch((error) => this.#host.onFault(error));
    }
  }

  /** Ends a session that can be resumed, and so was recorded, where it is recorded no more. */
  async #lookFor(session: Session): Promise<void> {
    const { store, again, evict } = this.#host;
    if (!session.backlog?.resumable) return;
    const found = await untilDone(() => store.find(session.account, session.sessionId), again);
    // a keyspace that has lost its newest writes proves nothing
    if (found === undefined && session.backlog.asserted) evict(store.owner, session.sessionId);
  }

  /** Records a session anew in a keyspace that has lost its newest writes. Resolves when that is committed. */
  async assert(session: Session): Promise<void> {
    if (session.backlog?.resumable) return session.backlog.recorded();
    const entry = this.#entries.get(session);
    if (entry === undefined) return;
    await this.#idle(entry); // the writes that were under way may have been lost
    if (this.#entries.get(session) !== entry || session.backlog?.resumable) return;
    if (entry.writing === undefined) this.#write(session, entry, () => this.#assert(session));
    await this.#idle(entry);
  }

  /** Resolves when the record is as the session is now. */
  async recorded(session: Session): Promise<void> {
    if (session.backlog?.resumable) return session.backlog.recorded();
    const entry = this.#entries.get(session);
    if (entry !== undefined) await this.#idle(entry);
  }

  async #idle(entry: Entry): Promise<void> {
    while (entry.writing !== undefined) await entry.writing;
  }

  /** The session is over; one that can be resumed is ended with its journal. */
  async ended(session: Session): Promise<void> {
    const entry = this.#entries.get(session);
    this.#entries.delete(session);
    if (entry === undefined || session.backlog?.resumable) return;
    await entry.writing;
    const { store, again } = this.#host;
    const { account, jid, sessionId } = session;
    await untilDone(() => store.end(account, jid.resource, sessionId, NOT_RESUMABLE), again);
  }

  /** It is another node's, or nobody's that this one could speak for. */
  forget(session: Session): void {
    this.#entries.delete(session);
  }

  #write(session: Session, entry: Entry, work: () => Promise<void>): void {
    entry.writing = work()
      .catch((error) => this.#host.onFault(error))
      .then(() => {
        entry.writing = undefined;
        if (entry.stale && !session.ended) this.#write(session, entry, () => this.#update(session));
      });
    entry.stale = false;
  }

  #register(session: Session): Promise<void> {
    const { store } = this.#host;
    let tried = false;
    return this.#record(session, async (record) => {
      // another one may have come since the first attempt, which may have been executed
      if (tried) return store.assert(session.account, record);
      tried = true;
      return { before: await store.register(session.account, record) };
    });
  }

  #assert(session: Session): Promise<void> {
    return this.#record(session, (record) => this.#host.store.assert(session.account, record));
  }

  async #record(
    session: Session,
    write: (record: ResumptionRecord) => Promise<{ before: SessionBefore | undefined } | undefined>,
  ): Promise<void> {
    const { store, again, confirmed, evict } = this.#host;
    const attempt = async () => {
      const waits = confirmed();
      if (waits !== undefined) await waits;
      // one that has ended meanwhile must not take the place of the next one of its resource
      return session.ended ? { before: undefined } : write(recordOf(session, NOT_RESUMABLE, 0));
    };
    const recorded = await untilDone(attempt, again);
    // RFC 6120 §7.7.2.2: the newer one is what the user is in front of
    if (recorded === undefined) return evict(store.owner, session.sessionId);
    const { before } = recorded;
    if (before === undefined) return;
    evict(before.owner, before.sid);
    if (before.boundAt < session.boundAt) return;
    session.boundAt = before.boundAt + 1; // its node's clock is ahead
    this.changed(session);
  }

  async #update(session: Session): Promise<void> {
    if (session.ended || session.backlog?.resumable) return;
    const { store, again } = this.#host;
    const { account, jid, sessionId } = session;
    const recorded = await untilDone(() => store.update(account, recordOf(session, NOT_RESUMABLE, 0)), again);
    if (recorded || session.ended || session.backlog?.resumable) return;
    // the resource was bound elsewhere, and the news of it has not come; or the keyspace has lost the record
    const records = await untilDone(() => store.list(account), again);
    const another = records.find(({ record }) => record.resource === jid.resource && record.sid !== sessionId);
    if (another !== undefined) this.#host.evict(store.owner, sessionId);
    else if (!session.ended) await this.#register(session);
  }
}
