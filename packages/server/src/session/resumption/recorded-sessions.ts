import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import { MEMBER, readMember, WAITING_MEMBER } from './index-member.ts';
import type { JournalEntry } from './journal-entry.ts';
import { members, recordsOf, waitingIndexKeys } from './resumption-keys.ts';
import { decodeRecord, ownerOf, type ResumptionRecord } from './resumption-record.ts';

export interface RecordedSession {
  /** Bare. */
  readonly account: Jid;
  readonly record: ResumptionRecord;
  readonly owner: string;
}

/** What a session that ended left behind. */
export interface WaitingEntries {
  /** The full JID of the session. */
  readonly jid: Jid;
  readonly sid: string;
  /** Who ended it, and was to route them. */
  readonly owner: string;
  readonly entries: readonly JournalEntry[];
}

export interface RecordedSessionsHost {
  readonly keyspace: Keyspace;
  /** Hears of what cannot be read and is passed over; it stays where it is. */
  onDamaged(error: KeyspaceError): void;
  end(account: Jid, resource: string, sid: string, epoch: number): Promise<unknown>;
  /** What waits still of what a session left behind. */
  waiting(jid: Jid, sid: string): Promise<readonly JournalEntry[]>;
  /** Nothing waits of it, whatever the index says. */
  onNothingWaiting(jid: Jid, sid: string, owner: string): Promise<void>;
}

/** Walks what the indices of the keyspace list, for whoever takes it over. */
export class RecordedSessions {
  readonly #host: RecordedSessionsHost;

  constructor(host: RecordedSessionsHost) {
    this.#host = host;
  }

  async *all(index: Keys): AsyncGenerator<readonly RecordedSession[], void, undefined> {
    for await (const page of members(this.#host.keyspace, index)) {
      const sessions = await Promise.all(page.map((member) => this.passingOver(() => this.#listed(member))));
      const found = sessions.filter((session) => session !== undefined);
      if (found.length > 0) yield found;
    }
  }

  async *unfinished(): AsyncGenerator<WaitingEntries, void, undefined> {
    const { keyspace, waiting, onNothingWaiting } = this.#host;
    for await (const page of members(keyspace, waitingIndexKeys)) {
      for (const member of page) {
        const found = await this.passingOver(async () => {
          const { sid, owner, jid } = readMember(member, WAITING_MEMBER);
          return { jid, sid, owner, entries: await waiting(jid, sid) };
        });
        if (found === undefined) continue;
        if (found.entries.length > 0) yield found;
        // two ended it, since the keyspace had lost that the first one had
        else await onNothingWaiting(found.jid, found.sid, found.owner);
      }
    }
  }

  /** Undefined where what is read is damaged. */
  async passingOver<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KeyspaceError) || error.failure !== 'damaged') throw error;
      this.#host.onDamaged(error);
      return undefined;
    }
  }

  async #listed(member: string): Promise<RecordedSession | undefined> {
    const { sid, epoch, jid } = readMember(member, MEMBER);
    const { bare: account, resource } = jid;
    const bytes = await this.#host.keyspace.hget(recordsOf(account), resource);
    if (bytes !== undefined) {
      const record = decodeRecord(resource, bytes);
      if (record.sid === sid && record.epoch === epoch) return { account, record, owner: ownerOf(bytes) };
    }
    await this.#host.end(account, resource, sid, epoch);
    return undefined;
  }
}
