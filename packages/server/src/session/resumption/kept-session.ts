import type { JournalEntry } from './journal-entry.ts';
import type { JournalHeader } from './journal-header.ts';
import type { ResumptionRecord } from './resumption-record.ts';

/** What a session looked like when it was read, for `takeOver`: its journal, and its record. */
export interface SessionMark {
  readonly length: number;
  readonly first: Buffer;
  readonly last: Buffer;
  readonly record: Buffer;
}

export interface KeptSession {
  readonly record: ResumptionRecord;
  readonly owner: string;
  readonly header: JournalHeader;
  readonly entries: readonly JournalEntry[];
  readonly mark: SessionMark;
}
