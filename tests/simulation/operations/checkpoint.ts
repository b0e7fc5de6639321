import { type Header, journalKey } from '../journal.ts';
import type { Shard } from '../shard.ts';

/** MULTI, LSET n header, LPOP n, EXEC: the header overwrites the last entry that is trimmed. */
export function checkpoint(
  shard: Shard,
  { sid, epoch, header, trimmed }: { sid: string; epoch: number; header: Header; trimmed: number },
): 'done' | 'fenced' {
  const journal = shard.journal({ sid, epoch });
  if (journal === undefined) return 'fenced';
  shard.keys.journals.set(journalKey(sid, epoch), { header, entries: journal.entries.slice(trimmed) });
  return 'done';
}
