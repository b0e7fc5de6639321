import type { PackedReader } from './packed-reader.ts';
import type { PackedWriter } from './packed-writer.ts';

/** What becomes of an entry that a journal lets go of. */
export type Fate = 'delivered' | 'moved' | 'bounced';

/**
 * How many entries a journal ever got, and what became of those that it has not any more. They stand in its header, which is
 * written with whatever is trimmed: what is missing shows (see `JournalSweeps`).
 */
export interface JournalCounts {
  readonly entered: number;
  /** Acknowledged by the client, or the other server. */
  readonly delivered: number;
  /** Gone where they would have gone had the session not been there. */
  readonly moved: number;
  /** Answered with an error, or of no use to anybody any more. */
  readonly bounced: number;
}

export const NO_COUNTS: JournalCounts = { entered: 0, delivered: 0, moved: 0, bounced: 0 };

/** Four numbers of six bytes each, which the Lua of sweep-journals.lua and end-session.lua reads where they stand. */
export function putCounts(writer: PackedWriter, { entered, delivered, moved, bounced }: JournalCounts): void {
  writer.uint48(entered);
  writer.uint48(delivered);
  writer.uint48(moved);
  writer.uint48(bounced);
}

export const readCounts = (reader: PackedReader): JournalCounts => ({
  entered: reader.uint48(),
  delivered: reader.uint48(),
  moved: reader.uint48(),
  bounced: reader.uint48(),
});

/** Of a journal, as its elements stand in the keyspace; where they are of a form without counts, all of it came just now. */
export function countsOf(elements: readonly Buffer[]): JournalCounts {
  const [header] = elements;
  if (header?.[0] !== COUNTED) return { ...NO_COUNTS, entered: Math.max(0, elements.length - 1) };
  const number = (place: number) => header.readUIntBE(HANDLED_BYTES + 1 + place * COUNT_BYTES, COUNT_BYTES);
  const entered = Math.max(number(0), numberOf(elements));
  return { entered, delivered: number(1), moved: number(2), bounced: number(3) };
}

/** The number of the last entry; 0 where there is none, or it has none. */
function numberOf(elements: readonly Buffer[]): number {
  const last = elements.length > 1 ? elements.at(-1) : undefined;
  return last?.[0] === COUNTED ? last.readUIntBE(2, COUNT_BYTES) : 0;
}

/** The version of headers and entries that have counts. */
const COUNTED = 2;
const HANDLED_BYTES = 4;
const COUNT_BYTES = 6;
