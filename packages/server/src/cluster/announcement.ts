import { PackedWriter } from '../session/resumption/packed-writer.ts';
import { type AnnouncedSession, readSession, writeSession } from './announced-session.ts';
import { AnnouncementReader } from './announcement-reader.ts';

/** What became of one session: its state, or that it is gone. */
export type Change = { readonly put: AnnouncedSession } | { readonly removed: string };

/**
 * What is broadcast, as far as everybody reads it: `changes` bear the number of their broadcast, a `beat` that of the
 * last changes. Numbers start at 1; a beat with 0 comes before all changes.
 */
export interface Announcement {
  readonly kind: 'changes' | 'beat';
  readonly number: number;
  /** The rest of it, for `readChanges`. */
  readonly reader: AnnouncementReader;
}

/** One member asks another for a page of a snapshot, the first with 0. */
export interface SnapshotRequest {
  readonly kind: 'request';
  /** Given by the one who asks, a new one for each snapshot. */
  readonly id: number;
  readonly page: number;
}

export interface SnapshotPage {
  readonly kind: 'page';
  readonly id: number;
  readonly page: number;
  readonly last: boolean;
  /** All changes up to this number are in the snapshot. Later ones may be, and follow as broadcasts. */
  readonly asOf: number;
  readonly sessions: readonly AnnouncedSession[];
}

// Broadcasts: version, kind, number, [number of records, the records].
// A record: PUT and a session, or REMOVED and a sid.
// Items: version, kind, id, page, [whether it is the last, asOf, number of sessions, the sessions].
const VERSION = 1;
const BEAT = 0;
const CHANGES = 1;
const REQUEST = 2;
const PAGE = 3;
const REMOVED = 0;
const PUT = 1;

const PAGE_BYTES = 256 * 1024;

const writer = new PackedWriter();

export function putRecord(session: AnnouncedSession): Buffer {
  writer.begin();
  writer.byte(PUT);
  writeSession(writer, session);
  return writer.take();
}

export function removedRecord(sid: string): Buffer {
  writer.begin();
  writer.byte(REMOVED);
  writer.sessionId(sid);
  return writer.take();
}

export function sessionBytes(session: AnnouncedSession): Buffer {
  writer.begin();
  writeSession(writer, session);
  return writer.take();
}

/**
 * Splits records into pages of at most 256 KB; a record that is larger gets a page of its own. It takes the records as
 * it needs them. The last page, which may be empty, is what it returns.
 */
export function* inPages(records: Iterable<Buffer>): Generator<Buffer[], Buffer[]> {
  let page: Buffer[] = [];
  let bytes = 0;
  for (const record of records) {
    if (page.length > 0 && bytes + record.length > PAGE_BYTES) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(record);
    bytes += record.length;
  }
  return page;
}

export function encodeBeat(number: number): Buffer {
  begin(BEAT);
  writer.varint(number);
  return writer.take();
}

export function encodeChanges(number: number, records: readonly Buffer[]): Buffer {
  begin(CHANGES);
  writer.varint(number);
  writer.varint(records.length);
  return Buffer.concat([writer.take(), ...records]);
}

export function encodeRequest(id: number, page: number): Buffer {
  begin(REQUEST);
  writer.varint(id);
  writer.varint(page);
  return writer.take();
}

/** `sessions` as `sessionBytes` wrote them. */
export function encodePage(header: Omit<SnapshotPage, 'kind' | 'sessions'>, sessions: readonly Buffer[]): Buffer {
  begin(PAGE);
  writer.varint(header.id);
  writer.varint(header.page);
  writer.byte(header.last ? 1 : 0);
  writer.varint(header.asOf);
  writer.varint(sessions.length);
  return Buffer.concat([writer.take(), ...sessions]);
}

function begin(kind: number): void {
  writer.begin();
  writer.byte(VERSION);
  writer.byte(kind);
}

/** Throws a KeyspaceError `damaged`. */
export function openAnnouncement(body: Buffer): Announcement {
  const reader = new AnnouncementReader(body);
  reader.version(VERSION);
  const kind = reader.byte();
  if (kind !== BEAT && kind !== CHANGES) throw reader.damaged('its kind is unknown');
  const number = reader.varint();
  if (kind === CHANGES) return { kind: 'changes', number, reader };
  reader.end();
  return { kind: 'beat', number, reader };
}

/** Of an announcement of changes, once. Throws a KeyspaceError `damaged`. */
export function readChanges({ reader }: Announcement): Change[] {
  const count = reader.varint();
  const changes: Change[] = [];
  while (changes.length < count) {
    const kind = reader.byte();
    if (kind === PUT) changes.push({ put: readSession(reader) });
    else if (kind === REMOVED) changes.push({ removed: reader.sessionId() });
    else throw reader.damaged('one of its changes is unknown');
  }
  reader.end();
  return changes;
}

/** Throws a KeyspaceError `damaged`. */
export function readItem(item: Buffer): SnapshotRequest | SnapshotPage {
  const reader = new AnnouncementReader(item);
  reader.version(VERSION);
  const kind = reader.byte();
  if (kind !== REQUEST && kind !== PAGE) throw reader.damaged('its kind is unknown');
  const [id, page] = [reader.varint(), reader.varint()];
  if (kind === REQUEST) {
    reader.end();
    return { kind: 'request', id, page };
  }
  const last = reader.byte();
  if (last > 1) throw reader.damaged('it is neither the last page nor another one');
  const asOf = reader.varint();
  const count = reader.varint();
  const sessions: AnnouncedSession[] = [];
  while (sessions.length < count) sessions.push(readSession(reader));
  reader.end();
  return { kind: 'page', id, page, last: last === 1, asOf, sessions };
}
