import { DETACHED, sessionOf } from '../account-record.ts';
import type { Shard } from '../shard.ts';
import { type Owner, type Ownership, takeOver } from './takeover.ts';

/** A node takes back what it had: after a link loss, a rename under it, or a pause that outlasted its lease. */
export function reclaim(
  shard: Shard,
  { account, sid, owner }: { account: string; sid: string; owner: Owner },
): Ownership | 'fenced' {
  const session = sessionOf(shard.record(account), sid);
  if (session === undefined) return 'fenced';
  const mine = session.node === owner.node || (session.node === DETACHED && session.lostBy === owner.node);
  const same = session.handle === owner.handle || !shard.world.rules.reclaimOwnOnly;
  return (mine && same && takeOver(shard, account, session, owner)) || 'fenced';
}

/** Reads the journal without a new epoch: what the rule renameOnLinkLoss forbids. */
export function reread(
  shard: Shard,
  { account, sid, epoch }: { account: string; sid: string; epoch: number },
): Ownership | 'fenced' {
  const record = shard.record(account);
  const session = sessionOf(record, sid);
  const journal = shard.journal({ sid, epoch });
  return session === undefined || journal === undefined
    ? 'fenced'
    : { session: { ...session, epoch }, journal, record };
}
