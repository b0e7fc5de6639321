import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { formatDateTime } from '@parley/xmpp/date-time';
import type { Jid } from '@parley/xmpp/jid';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { MEMBER, readMember, WAITING_MEMBER } from '../session/resumption/index-member.ts';
import type { JournalEntry } from '../session/resumption/journal-entry.ts';
import { isQueue, members, queueIndexKeys, waitingIndexKeys } from '../session/resumption/resumption-keys.ts';
import { NOT_RESUMABLE, ResumptionStore } from '../session/resumption/resumption-store.ts';

/** A stanza that is stored until whoever it is for has it. */
export interface Undelivered {
  /** A client of the account, or the server to which the account sent it. */
  readonly for: string;
  readonly since: string;
  readonly stanza: string;
}

/**
 * What is stored of an account under other names than its own: what its clients have not acknowledged, and what waits for other
 * servers. The latter lies with all that goes there, which is looked through: of one server at a time, as much as
 * `federation.queue` lets be.
 */
export async function* undeliveredOf(account: Jid, keyspace: Keyspace): AsyncGenerator<Undelivered, void> {
  const store = new ResumptionStore({ keyspace, onDamaged: () => {} }); // the node tells of them
  for (const { record } of await store.list(account)) {
    if (record.epoch === NOT_RESUMABLE) continue;
    const kept = await readable(() => store.read(account, record.sid));
    yield* told(account.withResource(record.resource), kept?.entries);
  }
  for await (const page of members(keyspace, queueIndexKeys)) {
    for (const member of page) {
      const { sid, jid } = readMember(member, MEMBER);
      if (jid.resource !== account.domain) continue;
      const kept = await readable(() => store.read(jid.bare, sid));
      yield* told(jid, kept?.entries.filter(isFrom(account)));
    }
  }
  for await (const page of members(keyspace, waitingIndexKeys)) {
    for (const member of page) {
      const { sid, jid } = readMember(member, WAITING_MEMBER);
      const own = jid.bare.equals(account);
      if (!own && !(isQueue(jid) && jid.resource === account.domain)) continue;
      const entries = await readable(() => store.waiting(jid, sid));
      yield* told(jid, own ? entries : entries?.filter(isFrom(account)));
    }
  }
}

function* told(jid: Jid, entries: readonly JournalEntry[] = []): Generator<Undelivered, void> {
  const to = isQueue(jid) ? jid.domain : jid.toString();
  for (const { at, text } of entries) yield { for: to, since: formatDateTime(at), stanza: text };
}

const isFrom =
  (account: Jid) =>
  ({ text }: JournalEntry): boolean => {
    try {
      return stanzaFromText(Buffer.from(text)).from?.bare.equals(account) === true;
    } catch {
      return false; // damaged: nobody can tell whose it is
    }
  };

/** Undefined where it is damaged: the rest of what there is of somebody is given out all the same. */
async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof KeyspaceError && error.failure === 'damaged') return undefined;
    throw error;
  }
}
