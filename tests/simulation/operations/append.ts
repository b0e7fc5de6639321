import type { SessionRecord } from '../account-record.ts';
import type { StanzaEntry } from '../journal.ts';
import type { Shard } from '../shard.ts';

/** The plain commands: MULTI, RPUSHX, PUBLISH, EXEC. Nothing is checked but that each journal is there under its key. */
export function append(
  shard: Shard,
  { deliveries }: { deliveries: readonly { readonly session: SessionRecord; readonly entry: StanzaEntry }[] },
): 'committed' | 'gone' {
  let missing = false;
  for (const { session, entry } of deliveries) {
    if (shard.append(session, entry)) shard.world.ledger.committed(entry, entry.holders);
    else missing = true;
  }
  return missing ? 'gone' : 'committed';
}
