import type { KeyspaceFailure, Outcome } from '../keyspace-error.ts';

export type Durability = 'process' | 'power';

/** What the thread that writes is started with. */
export interface WriterSettings {
  directory: string;
  durability: Durability;
  /** The file may grow to so many bytes; 0: to any size. */
  maxBytes: number;
}

/**
 * From the event loop to the thread that writes. After a failure the thread takes no message of the generation that
 * failed: what it was to write rests on rows that are not there.
 */
export type ToWriter =
  | { type: 'next' }
  | { type: 'append'; generation: number; seq: number; row: ArrayBuffer }
  | { type: 'slice'; generation: number; seq: number; values: ArrayBuffer }
  | { type: 'truncate'; generation: number; upTo: number }
  | { type: 'limit'; maxBytes: number }
  | { type: 'copy'; file: string }
  | { type: 'scrub' }
  | { type: 'close' };

/** And back. `values` are entries of (key, seq, length, value); `rows` are entries of (seq, length, row). */
export type FromWriter =
  | { type: 'refused'; failure: KeyspaceFailure; message: string }
  | { type: 'values'; bytes: ArrayBuffer }
  | { type: 'rows'; bytes: ArrayBuffer }
  | { type: 'loaded'; last: number; warnings: string[] }
  | { type: 'committed'; seq: number }
  | { type: 'sliced' }
  | { type: 'failed'; failure: KeyspaceFailure; outcome: Outcome; message: string }
  | { type: 'recovered' }
  | { type: 'scrubbed' }
  | { type: 'copied'; failure: string | undefined }
  | { type: 'closed' };
