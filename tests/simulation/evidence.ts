import { originsOf } from './admission.ts';
import type { OriginTable } from './origins.ts';
import type { Shard } from './shard.ts';

/** The origins of all that was executed for an account: what ended sessions had, and what the journals have had. */
export function evidence(shard: Shard, account: string): OriginTable {
  const known = shard.ended(account);
  for (const session of shard.record(account).sessions) {
    const journal = shard.journal(session);
    if (journal !== undefined) known.absorb(originsOf(journal, shard.world.rules));
  }
  return known;
}
