import { type Entry, isNote, type Journal } from './journal.ts';
import type { OriginTable } from './origins.ts';
import type { Rules } from './rules.ts';

/**
 * Dedup on read: whether an entry is for the client, given what the journal had before it; `origins` then knows of it.
 * Whoever reads the journal comes to the same answer.
 */
export function admit(origins: OriginTable, entry: Entry, rules: Rules): boolean {
  if (isNote(entry)) {
    origins.learn(entry.learned);
    return false;
  }
  const { origin, moved } = entry;
  if (origin === undefined || !rules.dedupOnRead) return true;
  const had = moved && rules.movedPassByOrigins ? origins.hasOwn(origin) : origins.has(origin);
  if (!had) origins.add(origin);
  return !had;
}

/** The origins that a journal has had, to its end. */
export function originsOf({ header, entries }: Journal, rules: Rules): OriginTable {
  const origins = header.origins.copy();
  for (const entry of entries) admit(origins, entry, rules);
  return origins;
}
