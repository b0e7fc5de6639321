import type { Origin } from '@parley/xmpp/stanza';
import { putSessionId, sessionIdAt } from '../session/session-id.ts';
import { itemWithText } from './item-memory.ts';

/** What nodes tell each other over channels: the first byte says which of these it is. */
export const ITEM = {
  deliver: 1,
  answer: 2,
  notice: 3,
  release: 4,
  evict: 5,
  acknowledged: 6,
  trace: 7,
  traceNotice: 8,
  announcement: 16,
} as const;

/** A stanza for a session of the node that gets this. */
export interface DeliverItem {
  /** What the answer is to name; 0 where none is wanted. */
  readonly id: number;
  readonly sid: string;
  /** Nothing else for this session is on its way from the same node. */
  readonly first: boolean;
  readonly origin: Origin | undefined;
  /** The stanza, as XML. */
  readonly text: Buffer;
}

/** What has become of something that had an id. */
export interface AnswerItem {
  readonly id: number;
  /** False where the session is not there. */
  readonly done: boolean;
}

/** A module tells its counterpart something. */
export interface NoticeItem {
  readonly id: number;
  readonly subject: string;
  readonly text: string;
}

/** A session is wanted by the node that sends this (`release`), or is to be ended (`evict`). */
export interface SessionItem {
  readonly id: number;
  readonly sid: string;
}

// deliver: kind, flags, id (4 bytes), sid (8), [origin: sid (8), k (4), effect (1)], the stanza
const HAS_ORIGIN = 1;
const FIRST = 2;
/** Of the origin. Older nodes do not look at it. */
const LATE = 4;
const DELIVER_HEAD = 14;
const ORIGIN_BYTES = 13;

export function encodeDeliver({ id, sid, first, origin }: Omit<DeliverItem, 'text'>, text: string): Buffer {
  const head = DELIVER_HEAD + (origin === undefined ? 0 : ORIGIN_BYTES);
  const item = itemWithText(head, text);
  item[0] = ITEM.deliver;
  item[1] = (origin === undefined ? 0 : HAS_ORIGIN) | (first ? FIRST : 0) | (origin?.late ? LATE : 0);
  item.writeUInt32BE(id, 2);
  putSessionId(item, 6, sid);
  if (origin !== undefined) {
    putSessionId(item, DELIVER_HEAD, origin.sid);
    item.writeUInt32BE(origin.k, DELIVER_HEAD + 8);
    item[DELIVER_HEAD + 12] = origin.effect;
  }
  return item;
}

export function decodeDeliver(item: Buffer): DeliverItem {
  const flags = item.readUInt8(1);
  const hasOrigin = (flags & HAS_ORIGIN) !== 0;
  const origin = hasOrigin
    ? {
        sid: sessionIdAt(item, DELIVER_HEAD),
        k: item.readUInt32BE(DELIVER_HEAD + 8),
        effect: item.readUInt8(DELIVER_HEAD + 12),
        ...((flags & LATE) !== 0 ? { late: true } : {}),
      }
    : undefined;
  const text = item.subarray(DELIVER_HEAD + (hasOrigin ? ORIGIN_BYTES : 0));
  const sid = sessionIdAt(item, 6);
  return { id: item.readUInt32BE(2), sid, first: (flags & FIRST) !== 0, origin, text };
}

// answer: kind, each: id (4 bytes), done (1)
const ANSWER_BYTES = 5;

export function encodeAnswers(answers: readonly AnswerItem[]): Buffer {
  const item = Buffer.allocUnsafe(1 + ANSWER_BYTES * answers.length);
  item[0] = ITEM.answer;
  let at = 1;
  for (const { id, done } of answers) {
    item.writeUInt32BE(id, at);
    item[at + 4] = done ? 1 : 0;
    at += ANSWER_BYTES;
  }
  return item;
}

export function decodeAnswers(item: Buffer): AnswerItem[] {
  const answers: AnswerItem[] = [];
  for (let at = 1; at < item.length; at += ANSWER_BYTES) {
    answers.push({ id: item.readUInt32BE(at), done: item.readUInt8(at + 4) === 1 });
  }
  return answers;
}

// notice: kind, id (4 bytes), length of the subject (1), subject, text
export function encodeNotice({ id, subject, text }: NoticeItem): Buffer {
  const length = Buffer.byteLength(subject);
  const item = Buffer.allocUnsafe(6 + length + Buffer.byteLength(text));
  item[0] = ITEM.notice;
  item.writeUInt32BE(id, 1);
  item[5] = length;
  item.write(subject, 6, 'utf8');
  item.write(text, 6 + length, 'utf8');
  return item;
}

export function decodeNotice(item: Buffer): NoticeItem {
  const end = 6 + item.readUInt8(5);
  if (end > item.length) throw new RangeError('A notice ends before its subject does.');
  return { id: item.readUInt32BE(1), subject: item.toString('utf8', 6, end), text: item.toString('utf8', end) };
}

// acknowledged: kind, id (4 bytes), sid (8), time (6)
/** Asks whether a session has acknowledged everything that it got by then (milliseconds since 1970). */
export function encodeAcknowledged(id: number, sid: string, at: number): Buffer {
  const item = Buffer.allocUnsafe(19);
  item[0] = ITEM.acknowledged;
  item.writeUInt32BE(id, 1);
  putSessionId(item, 5, sid);
  item.writeUIntBE(at, 13, 6);
  return item;
}

export function decodeAcknowledged(item: Buffer): SessionItem & { readonly at: number } {
  return { id: item.readUInt32BE(1), sid: sessionIdAt(item, 5), at: item.readUIntBE(13, 6) };
}

// release, evict: kind, id (4 bytes), sid (8)
export function encodeSession(kind: typeof ITEM.release | typeof ITEM.evict, { id, sid }: SessionItem): Buffer {
  const item = Buffer.allocUnsafe(13);
  item[0] = kind;
  item.writeUInt32BE(id, 1);
  putSessionId(item, 5, sid);
  return item;
}

export function decodeSession(item: Buffer): SessionItem {
  if (item.length !== 13) throw new RangeError('What names a session has 13 bytes.');
  return { id: item.readUInt32BE(1), sid: sessionIdAt(item, 5) };
}

// trace, traceNotice: kind, the text of a traceparent (W3C Trace Context §3.2)
/** What is in the next item of its kind is traced: its sender has begun, and this is where. Who does not know it loses nothing. */
export const encodeTrace = (traceparent: string, kind: 'trace' | 'traceNotice' = 'trace'): Buffer =>
  Buffer.concat([Buffer.of(ITEM[kind]), Buffer.from(traceparent, 'latin1')]);

/** As text that may name no span. */
export const decodeTrace = (item: Buffer): string => item.toString('latin1', 1, 1 + MOST_TRACEPARENT);

const MOST_TRACEPARENT = 128;
