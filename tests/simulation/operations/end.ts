import { DETACHED, sessionOf } from '../account-record.ts';
import type { StanzaEntry } from '../journal.ts';
import type { Shard } from '../shard.ts';
import { conclude } from './conclude.ts';

/** The owner ends a session: its client closed the stream. `acked` is how far the client had acknowledged. */
export function unbind(
  shard: Shard,
  { account, sid, epoch, acked }: { account: string; sid: string; epoch: number; acked: number },
): readonly StanzaEntry[] {
  const session = sessionOf(shard.record(account), sid);
  return session?.epoch === epoch ? conclude(shard, account, session, { acked }) : [];
}

/** Any node ends a detached session whose time is up. */
export function expire(shard: Shard, { account, sid }: { account: string; sid: string }): readonly StanzaEntry[] {
  const session = sessionOf(shard.record(account), sid);
  return session?.node === DETACHED ? conclude(shard, account, session, { acked: 0 }) : [];
}
