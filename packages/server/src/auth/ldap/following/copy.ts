import type { Entry } from '../entry.ts';

/** What the directory says about one entry: how it is now, or that it is none of those followed any more. */
export interface EntryChange {
  readonly id: string;
  readonly entry?: Entry;
  /** What the directory calls the entry when it synchronises, where it does. */
  readonly entryUuid?: string;
  /** The directory says so since something of the entry has just changed, which may be nothing that is taken over. */
  readonly isNews?: boolean;
}

/** What was taken over of the entries that are followed, and is kept for all nodes. */
export interface Copy {
  readonly size: number;
  has(id: string): boolean;
  ids(): Iterable<string>;
  /** Undefined where the entry has no id. */
  idOf(entry: Entry): string | undefined;
  /** The id of an entry that is known, by what the directory calls it when it synchronises. */
  idOfUuid(entryUuid: string): string | undefined;
  /**
   * The entry was of use, and is not any more. Where everything is read that counts as if it were missing: of very many at
   * once it is rather what may be read that has changed.
   */
  isLost?(id: string, entry: Entry): boolean;
  /** Takes over what is so, in this order; resolves when it is kept. */
  apply(changes: readonly EntryChange[]): Promise<void>;
  /** Resolves when all nodes have dealt with everything that was applied. */
  settled(): Promise<void>;
  close(): void;
}

/** The same text for a UUID, however it is written: only its digits. */
export const digits = (uuid: string): string => uuid.replaceAll('-', '').toLowerCase();
