import type { Origin } from '@parley/xmpp/stanza';
import { PackedReader } from './packed-reader.ts';
import { PackedWriter } from './packed-writer.ts';

/** A stanza for a client that has not acknowledged it yet. */
export interface JournalEntry {
  /** The number that the stanza has for the client (XEP-0198 §4), modulo 2^32; undefined while there is no stream. */
  readonly out: number | undefined;
  /** Undefined for what no stanza brought about. */
  readonly origin: Origin | undefined;
  /** When it was accepted, in milliseconds since 1970. */
  readonly at: number;
  /** The stanza, as XML. */
  readonly text: string;
  /** How many its journal had got with it; undefined where its writer did not count. */
  readonly number?: number | undefined;
}

// version, flags, [number,] [out,] [origin: sid, k, effect,] at, text
const UNCOUNTED = 1;
const COUNTED = 2;
const HAS_ORIGIN = 1;
const HAS_NUMBER = 2;

const writer = new PackedWriter();

export function encodeEntry({ out, origin, at, text, number }: JournalEntry): Buffer {
  writer.begin();
  writer.byte(number === undefined ? UNCOUNTED : COUNTED);
  writer.byte((origin === undefined ? 0 : HAS_ORIGIN) | (out === undefined ? 0 : HAS_NUMBER));
  if (number !== undefined) writer.uint48(number);
  if (out !== undefined) writer.uint32(out);
  if (origin !== undefined) {
    writer.sessionId(origin.sid);
    writer.uint32(origin.k);
    writer.varint(origin.effect);
  }
  writer.varint(at);
  writer.text(text);
  return writer.take();
}

/** Throws a KeyspaceError `damaged`. */
export function decodeEntry(bytes: Buffer): JournalEntry {
  const reader = new PackedReader(bytes, 'A journal entry in the keyspace');
  const version = reader.version(UNCOUNTED, COUNTED);
  const flags = reader.byte();
  if (flags > (HAS_ORIGIN | HAS_NUMBER)) throw reader.damaged('its flags are unknown');
  const number = version === COUNTED ? reader.uint48() : undefined;
  const out = flags & HAS_NUMBER ? reader.uint32() : undefined;
  const origin =
    flags & HAS_ORIGIN ? { sid: reader.sessionId(), k: reader.uint32(), effect: reader.varint() } : undefined;
  const entry = {
    ...{ out, origin, at: reader.varint(), text: reader.text() },
    ...(number !== undefined && { number }),
  };
  reader.end();
  return entry;
}
