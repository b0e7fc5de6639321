import type { Keyspace } from '@parley/keyspace/keyspace';
import { memberKeys, readEntry } from '@parley/server/cluster/member';

/** A node that was silent for longer than this is gone. */
const SILENT_MS = 15_000;

/** Whether a node runs on this keyspace, on whatever machine. */
export async function someNodeRuns(keyspace: Keyspace): Promise<boolean> {
  const now = await keyspace.now();
  const entries = [...(await keyspace.hgetall(memberKeys.key()))].map(([id, text]) => readEntry(id, String(text)));
  return entries.some((entry) => entry?.state === 'alive' && now - entry.since < SILENT_MS);
}
