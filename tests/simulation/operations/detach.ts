import { DETACHED, type SessionRecord, sessionOf, withSession } from '../account-record.ts';
import { type Header, journalKey } from '../journal.ts';
import type { Shard } from '../shard.ts';

function detach(shard: Shard, account: string, session: SessionRecord, lostBy: string | undefined): void {
  const epoch = session.epoch + 1;
  shard.rename(session.sid, session.epoch, epoch);
  shard.keys.records.set(account, withSession(shard.record(account), session.sid, { epoch, node: DETACHED, lostBy }));
}

/** The owner gives a session up whose client has gone, with all that it remembers of it. */
export function handOver(
  shard: Shard,
  { account, sid, epoch, header }: { account: string; sid: string; epoch: number; header: Header },
): 'done' | 'fenced' {
  const session = sessionOf(shard.record(account), sid);
  const journal = shard.journal({ sid, epoch });
  if (session?.epoch !== epoch || journal === undefined) return 'fenced';
  shard.keys.journals.set(journalKey(sid, epoch), { header, entries: journal.entries });
  detach(shard, account, session, undefined);
  return 'done';
}

/** Any node detaches a session of an incarnation whose lease has run out; the incarnation may come back for it. */
export function detachLost(shard: Shard, { account, sid, node }: { account: string; sid: string; node: string }): void {
  const session = sessionOf(shard.record(account), sid);
  if (session?.node === node) detach(shard, account, session, node);
}

/** A node detaches what is recorded as its own and is not. Whoever takes the session over first wins. */
export function detachUnowned(
  shard: Shard,
  { account, sid, epoch, node }: { account: string; sid: string; epoch: number; node: string },
): void {
  const session = sessionOf(shard.record(account), sid);
  if (session?.node === node && session.epoch === epoch) detach(shard, account, session, undefined);
}
