import { sessionOf } from '../account-record.ts';
import type { Shard } from '../shard.ts';
import { type Owner, type Ownership, takeOver } from './takeover.ts';

/** `handled` is for `<failed h=…/>` (XEP-0198 §5), where it is still known. */
export type ResumeReply = Ownership | 'wait' | { readonly handled: number | undefined };

/** A client resumes its session, at any node. */
export function resume(
  shard: Shard,
  { account, sid, owner }: { account: string; sid: string; owner: Owner },
): ResumeReply {
  if (shard.world.rules.settleBeforeTakeover && !shard.settling.over) return 'wait';
  const session = sessionOf(shard.record(account), sid);
  const ownership = session && takeOver(shard, account, session, owner);
  return ownership ?? { handled: shard.keys.finals.get(sid) };
}
