import type { Origin, OriginTable } from './origins.ts';
import type { Content } from './stanza.ts';

/** An element of a journal behind its header. */
export type Entry = StanzaEntry | Note;

export interface StanzaEntry {
  /** Tells the elements of one journal apart: the same element is seen in a push and in the list. */
  readonly eid: number;
  readonly origin: Origin | undefined;
  readonly content: Content;
  /** Whether it was moved here, or put back: then it is passed over only where this journal has had it. */
  readonly moved: boolean;
  /** Whether it was for another session, which has ended: it may come late. */
  readonly displaced: boolean;
  /** Whether it was put back after a failover, and nobody has read it yet. */
  readonly putBack: boolean;
  /** The sessions that got a copy of it. */
  readonly holders: readonly string[];
}

/** Tells the owner which origins the account has had elsewhere. Nothing goes to the client. */
export interface Note {
  readonly eid: number;
  readonly learned: OriginTable;
}

export const isNote = (entry: Entry): entry is Note => 'learned' in entry;

/** Whether it is moved when its session ends; carbons, pushes and answers end with their session. */
export const isLasting = (entry: Entry): entry is StanzaEntry => !isNote(entry) && entry.content.kind === 'message';

/** The checkpoint: element 0 of the journal. Indexes are absolute; the first entry of the list is base + 1. */
export interface Header {
  readonly base: number;
  /** Everything up to this index was acknowledged by the client. */
  readonly acked: number;
  /** Index and outbound number of entries that were given one. */
  readonly assigned: readonly (readonly [index: number, number: number])[];
  /** In fast mode what comes after this index gets the following numbers in turn, without a checkpoint. */
  readonly fast: { readonly index: number; readonly number: number } | undefined;
  /** Inbound stanzas whose effects are committed: what may be acknowledged to the client. */
  readonly handled: number;
  /** Origins that the journal has had up to base. */
  readonly origins: OriginTable;
}

export interface Journal {
  readonly header: Header;
  readonly entries: readonly Entry[];
}

export const journalKey = (sid: string, epoch: number) => `journal:${sid}:${epoch}`;

export function emptyHeader(origins: OriginTable): Header {
  return { base: 0, acked: 0, assigned: [], fast: undefined, handled: 0, origins };
}

/** For those who read a trace. */
export function describeEntry(entry: Entry): string {
  if (isNote(entry)) return `note ${entry.eid} (${entry.learned})`;
  const { eid, origin, moved, content } = entry;
  const from = origin === undefined ? 'no origin' : `${origin.stream}#${origin.k}.${origin.effect} low ${origin.low}`;
  return `${moved ? 'moved ' : ''}${content.kind} ${eid} (${from})`;
}

export function describeJournal({ header, entries }: Journal): string {
  const { base, acked, assigned, fast, handled, origins } = header;
  const numbers = assigned.map(([index, number]) => `${index}=${number}`).join(' ');
  const mode = fast === undefined ? '' : ` fast ${fast.index}=${fast.number}`;
  const list = entries.map(describeEntry).join(' | ');
  return `base ${base} acked ${acked} assigned ${numbers}${mode} handled ${handled} (${origins}): ${list}`;
}
