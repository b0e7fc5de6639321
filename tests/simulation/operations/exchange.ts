import { evidence } from '../evidence.ts';
import type { Shard } from '../shard.ts';

/**
 * The last act of making a failover good: notes may have been lost, and every session learns anew what the account has
 * had. Before this, what a session knows of elsewhere tells whether an entry that is put back was ever for it.
 */
export function exchange(shard: Shard, { account }: { account: string }): void {
  if (!shard.world.rules.learnAfterFailover) return;
  const learned = evidence(shard, account);
  for (const session of shard.record(account).sessions) shard.write(session, { eid: shard.world.newEid(), learned });
}
