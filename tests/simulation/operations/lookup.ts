import type { AccountRecord } from '../account-record.ts';
import type { Shard } from '../shard.ts';

/** HGETALL session:{p}:bare */
export function lookup(shard: Shard, { account }: { account: string }): AccountRecord {
  return shard.record(account);
}
