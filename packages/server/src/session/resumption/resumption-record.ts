import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { PackedReader } from './packed-reader.ts';
import { PackedWriter } from './packed-writer.ts';

/** What is needed to have a session back without its client's help. */
export interface ResumptionRecord {
  readonly resource: string;
  /** The session: 16 hexadecimal digits. */
  readonly sid: string;
  /** Counts those who owned the session: only the last of them can write its journal. */
  readonly epoch: number;
  /** How long it can be resumed after its connection is gone, 0 where it cannot. */
  readonly maxSeconds: number;
  readonly carbons: boolean;
  /** Has asked for its roster. */
  readonly interested: boolean;
  /** Gets the messages for its account (offline-store.lua looks for this). */
  readonly receiving: boolean;
  /** The client has said so (XEP-0352). */
  readonly inactive: boolean;
  /** The last available presence, as XML; undefined while unavailable. */
  readonly presence: string | undefined;
  /** To whom it has sent available presence of its own accord. */
  readonly directed: readonly string[];
  /** The SASL mechanism with which it authenticated. */
  readonly mechanism: string;
  /** Milliseconds since 1970: of two sessions of one resource the later one stays. 0 where that was not recorded. */
  readonly boundAt: number;
  /** The stream that another server keeps for a while, of what goes to it: its id (XEP-0198). */
  readonly peerStream?: string | undefined;
}

/** One of a session in which the client has said nothing yet, with what is given. */
export const blankRecord = (
  given: Pick<ResumptionRecord, 'resource' | 'sid' | 'epoch' | 'maxSeconds' | 'boundAt'> & Partial<ResumptionRecord>,
): ResumptionRecord => ({
  carbons: false,
  interested: false,
  receiving: false,
  inactive: false,
  presence: undefined,
  directed: [],
  mechanism: '',
  peerStream: undefined,
  ...given,
});

// version, fence (sid, epoch, owner), maxSeconds, flags, mechanism, [presence,] number of directed, each of them, boundAt,
// [peerStream]
const VERSION = 2;
/** It has no boundAt. */
const VERSION_BEFORE = 1;
const CARBONS = 1;
const INTERESTED = 2;
const INACTIVE = 4;
const AVAILABLE = 8;
const RECEIVING = 16;
const PEER_STREAM = 32;

const writer = new PackedWriter();

/**
 * What a record holds from its second byte on: the session, its epoch and, where it is given, who made it so (16
 * hexadecimal digits).
 */
export function fenceOf(sid: string, epoch: number, owner?: string): Buffer {
  writer.begin();
  writer.sessionId(sid);
  writer.varint(epoch);
  if (owner !== undefined) writer.sessionId(owner);
  return writer.take();
}

/** Who made a record so: the node that owns the session. The record must be one that can be read. */
export function ownerOf(record: Buffer): string {
  let end = 9;
  while ((record[end] ?? 0) >= 0x80) end++; // the epoch
  return record.toString('hex', end + 1, end + 9);
}

/** The epoch of a record, which must be one that can be read. */
export function epochOf(record: Buffer): number {
  let epoch = 0;
  let factor = 1;
  for (let at = 9; ; at++, factor *= 0x80) {
    const byte = record[at] ?? 0;
    epoch += (byte & 0x7f) * factor;
    if (byte < 0x80) return epoch;
  }
}

/** Whether a record tells of a session that gets the messages for its account; it must be one that can be read. */
export function isReceiving(record: Buffer): boolean {
  let end = 9;
  while ((record[end] ?? 0) >= 0x80) end++; // the epoch
  end += 9; // the owner
  while ((record[end] ?? 0) >= 0x80) end++; // the time to resume
  return ((record[end + 1] ?? 0) & RECEIVING) !== 0;
}

/** All but the resource, under which it is kept. */
export function encodeRecord(record: ResumptionRecord, owner: string): Buffer {
  const { presence, directed } = record;
  writer.begin();
  writer.byte(VERSION);
  writer.sessionId(record.sid);
  writer.varint(record.epoch);
  writer.sessionId(owner);
  writer.varint(record.maxSeconds);
  writer.byte(
    (record.carbons ? CARBONS : 0) |
      (record.interested ? INTERESTED : 0) |
      (record.inactive ? INACTIVE : 0) |
      (record.receiving ? RECEIVING : 0) |
      (presence === undefined ? 0 : AVAILABLE) |
      (record.peerStream === undefined ? 0 : PEER_STREAM),
  );
  writer.text(record.mechanism);
  if (presence !== undefined) writer.text(presence);
  writer.varint(directed.length);
  for (const target of directed) writer.text(target);
  writer.varint(record.boundAt);
  if (record.peerStream !== undefined) writer.text(record.peerStream);
  return writer.take();
}

/** Throws a KeyspaceError `damaged`. */
export function decodeRecord(resource: string, bytes: Buffer): ResumptionRecord {
  const reader = new PackedReader(bytes, 'The record of a session in the keyspace');
  const version = reader.version(VERSION_BEFORE, VERSION);
  const sid = reader.sessionId();
  const epoch = reader.varint();
  reader.sessionId(); // its owner: see ownerOf
  const maxSeconds = reader.varint();
  const flags = reader.byte();
  if (flags >= 2 * PEER_STREAM) throw reader.damaged('its flags are unknown');
  const mechanism = reader.text();
  const presence = flags & AVAILABLE ? reader.text() : undefined;
  const count = reader.varint();
  const directed: string[] = [];
  while (directed.length < count) directed.push(reader.text());
  const boundAt = version === VERSION ? reader.varint() : 0;
  const peerStream = flags & PEER_STREAM ? reader.text() : undefined;
  reader.end();
  return {
    resource,
    sid,
    epoch,
    maxSeconds,
    carbons: (flags & CARBONS) !== 0,
    interested: (flags & INTERESTED) !== 0,
    receiving: (flags & RECEIVING) !== 0,
    inactive: (flags & INACTIVE) !== 0,
    presence,
    directed,
    mechanism,
    boundAt,
    ...(peerStream === undefined ? {} : { peerStream }),
  };
}

/** When the session of a record was bound: 0 where that cannot be read, or was not recorded. */
export function boundAtOf(record: Buffer): number {
  try {
    return decodeRecord('', record).boundAt;
  } catch (error) {
    if (!(error instanceof KeyspaceError)) throw error;
    return 0;
  }
}
