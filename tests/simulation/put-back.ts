import { type Entry, isNote, type Journal, type StanzaEntry } from './journal.ts';

const isPutBack = (entry: Entry): entry is StanzaEntry => !isNote(entry) && entry.putBack;

/**
 * After a failover several nodes put back what they had committed, each in its order. Nobody has read these entries
 * yet: those of one stream are brought into the order in which they were sent. What was committed later stays behind.
 */
export function inOrder(journal: Journal): Journal {
  if (!journal.entries.some(isPutBack)) return journal;
  const entries = [...journal.entries];
  let start = 0;
  for (let at = 0; at <= entries.length; at++) {
    const entry = entries[at];
    if (entry !== undefined && isPutBack(entry)) continue;
    sort(entries, start, at);
    start = at + 1;
  }
  return { header: journal.header, entries };
}

/** Within a run of entries that were put back; each stream keeps its places. */
function sort(entries: Entry[], start: number, end: number): void {
  const streams = new Map<string, StanzaEntry[]>();
  const streamOf = (entry: StanzaEntry) => entry.origin?.stream ?? '';
  for (let at = start; at < end; at++) {
    const entry = entries[at];
    if (entry === undefined || !isPutBack(entry)) continue;
    const stream = streamOf(entry);
    streams.set(stream, [...(streams.get(stream) ?? []), { ...entry, putBack: false }]);
  }
  for (const stream of streams.values()) stream.sort((a, b) => (a.origin?.k ?? 0) - (b.origin?.k ?? 0));
  for (let at = start; at < end; at++) {
    const entry = entries[at];
    if (entry !== undefined && isPutBack(entry)) entries[at] = streams.get(streamOf(entry))?.shift() ?? entry;
  }
}
