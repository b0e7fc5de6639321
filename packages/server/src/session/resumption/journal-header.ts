import { type JournalCounts, putCounts, readCounts } from './journal-counts.ts';
import { PackedReader } from './packed-reader.ts';
import { PackedWriter } from './packed-writer.ts';

/** The first element of a journal: how far things have come. */
export interface JournalHeader {
  /** Stanzas of the client whose effects are committed, so that they may be acknowledged; modulo 2^32. */
  readonly handled: number;
  /**
   * Of entries that are trimmed already: the sender's session and the effect, as `sid.effect`, → the highest of its
   * stanzas. The oldest comes first.
   */
  readonly origins: ReadonlyMap<string, number>;
  /** The number of the last stanza that was written to the client, where the owner left in order; modulo 2^32. */
  readonly sent?: number | undefined;
  /** What became of all entries so far; undefined where its writer did not count. */
  readonly counts?: JournalCounts | undefined;
}

/** So many senders are remembered, mostly fewer: see `Origins`. */
export const MOST_ORIGINS = 1024;

// version, handled (the Lua of end-session.lua reads these four bytes), [counts,] number of origins, each: sid, effect, k; [sent]
const UNCOUNTED = 1;
const COUNTED = 2;

const writer = new PackedWriter();

/** What was made of origins: they change less often than what else a header tells. */
const encoded = new WeakMap<ReadonlyMap<string, number>, Buffer>();

function encodeOrigins(origins: ReadonlyMap<string, number>): Buffer {
  writer.begin();
  const over = Math.max(0, origins.size - MOST_ORIGINS);
  writer.varint(origins.size - over);
  for (const [key, k] of origins.entries().drop(over)) {
    const [sid = '', effect] = key.split('.');
    writer.sessionId(sid);
    writer.varint(Number(effect));
    writer.uint32(k);
  }
  return writer.take();
}

/** Whoever gives `origins` does not change them afterwards. */
export function encodeHeader({ handled, origins, sent, counts }: JournalHeader): Buffer {
  let known = encoded.get(origins);
  if (known === undefined) {
    known = encodeOrigins(origins);
    encoded.set(origins, known);
  }
  writer.begin();
  writer.byte(counts === undefined ? UNCOUNTED : COUNTED);
  writer.uint32(handled);
  if (counts !== undefined) putCounts(writer, counts);
  writer.bytes(known);
  if (sent !== undefined) writer.uint32(sent);
  return writer.take();
}

/** Throws a KeyspaceError `damaged`. */
export function decodeHeader(bytes: Buffer): JournalHeader {
  const reader = new PackedReader(bytes, 'The header of a journal in the keyspace');
  const version = reader.version(UNCOUNTED, COUNTED);
  const handled = reader.uint32();
  const counts = version === COUNTED ? readCounts(reader) : undefined;
  const count = reader.varint();
  if (count > MOST_ORIGINS) throw reader.damaged('it names too many senders');
  const origins = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    origins.set(`${reader.sessionId()}.${reader.varint()}`, reader.uint32());
  }
  if (origins.size < count) throw reader.damaged('it names a sender twice');
  const sent = reader.atEnd ? undefined : reader.uint32();
  reader.end();
  return { handled, origins, ...(sent !== undefined && { sent }), ...(counts !== undefined && { counts }) };
}
