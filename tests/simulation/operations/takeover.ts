import { type AccountRecord, DETACHED, type SessionRecord, sessionOf, withSession } from '../account-record.ts';
import { type Journal, journalKey } from '../journal.ts';
import { inOrder } from '../put-back.ts';
import type { Shard } from '../shard.ts';

/** A node, and which of its ownerships. */
export interface Owner {
  readonly node: string;
  readonly handle: number;
}

/** What a node gets with a session: all that it needs to own it. */
export interface Ownership {
  readonly session: SessionRecord;
  readonly journal: Journal;
  readonly record: AccountRecord;
}

/** Gives a session to a node under a new epoch, and with it the only key under which the journal can be written. */
export function takeOver(shard: Shard, account: string, session: SessionRecord, by: Owner): Ownership | undefined {
  const epoch = session.epoch + 1;
  const renamed = shard.rename(session.sid, session.epoch, epoch);
  if (renamed === undefined) return undefined;
  const journal = shard.world.rules.putBackInOrder ? inOrder(renamed) : renamed;
  shard.keys.journals.set(journalKey(session.sid, epoch), journal);
  const record = withSession(shard.record(account), session.sid, { ...by, epoch, lostBy: undefined });
  shard.keys.records.set(account, record);
  if (session.node !== by.node && session.node !== DETACHED) {
    shard.publish(session.node, { kind: 'evict', sid: session.sid, epoch });
  }
  return { session: sessionOf(record, session.sid) as SessionRecord, journal, record };
}
