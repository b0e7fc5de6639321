import type { Command } from '@parley/keyspace/command';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { encodeEntry, type JournalEntry } from './journal-entry.ts';
import { encodeHeader, type JournalHeader } from './journal-header.ts';

/** What is written to a journal at once. */
export interface JournalWrite {
  readonly entries: readonly JournalEntry[];
  readonly header: JournalHeader | undefined;
  readonly trim: number;
}

/** See `ResumptionStore.write`; `keyspace` is that of whoever the journal belongs to. */
export function writeJournal(
  keyspace: Keyspace,
  journal: string,
  { entries, header, trim }: JournalWrite,
): Promise<boolean> {
  const encoded = entries.map(encodeEntry);
  if (header === undefined) {
    return encoded.length === 0 ? Promise.resolve(true) : keyspace.rpushx(journal, ...encoded).then(isThere);
  }
  const bytes = encodeHeader(header);
  if (trim === 0 && encoded.length === 0) return keyspace.lset(journal, 0, bytes);
  const commands: Command[] = encoded.length === 0 ? [] : [['rpushx', journal, ...encoded]];
  commands.push(['lset', journal, trim, bytes]);
  // The header takes the place of the last entry that goes, so that the journal never is without one.
  if (trim > 0) commands.push(['ltrim', journal, trim, -1]);
  return keyspace.batch(commands, { atomic: trim > 0 }).then((replies) => replies.every(isDone));
}

/** By what RPUSHX and LSET reply. */
const isThere = (length: number): boolean => length > 0;
const isDone = (reply: unknown): boolean => reply !== false && reply !== 0;
