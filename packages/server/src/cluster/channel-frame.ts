import { PackedReader } from '../session/resumption/packed-reader.ts';

// own · peer · flags (one byte) · received · first · (length · item)*          all numbers are varints
const HELLO = 1;
const ASK = 2;

/** What a frame of a channel says beside its items. */
export interface ChannelNews {
  /** The number of the sender's channel. */
  readonly own: number;
  /** The number of the receiver's channel, as the sender knows it; 0 where it does not. */
  readonly peer: number;
  /** The sender has not heard from the receiver that it is known there. It wants an answer. */
  readonly hello: boolean;
  /** The sender misses something, and wants everything after `received` once more. */
  readonly ask: boolean;
  /** How many of the receiver's items have arrived, from the first one on. */
  readonly received: number;
  /** Number of the first item in it, or, without items, of the one that would come next. */
  readonly first: number;
}

export interface ChannelFrame extends ChannelNews {
  /** Parts of the frame, not copies. */
  readonly items: readonly Buffer[];
}

const NONE: readonly Buffer[] = [];

/** The bytes that a number takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

function putVarint(frame: Buffer, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest > 0x7f) {
    frame[end++] = (rest & 0x7f) | 0x80;
    rest = rest > 0x7fffffff ? Math.floor(rest / 0x80) : rest >>> 7;
  }
  frame[end++] = rest;
  return end;
}

/** The whole frame, which begins with `head`, in one piece of memory: each item is copied once. */
export function channelFrame(head: Buffer, news: ChannelNews, items: readonly Buffer[] = NONE): Buffer {
  const { own, peer, received, first } = news;
  let size = head.length + varintSize(own) + varintSize(peer) + 1 + varintSize(received) + varintSize(first);
  for (const item of items) size += varintSize(item.length) + item.length;
  const frame = Buffer.allocUnsafe(size);
  let end = head.copy(frame);
  end = putVarint(frame, end, own);
  end = putVarint(frame, end, peer);
  frame[end++] = (news.hello ? HELLO : 0) | (news.ask ? ASK : 0);
  end = putVarint(frame, end, received);
  end = putVarint(frame, end, first);
  for (const item of items) {
    end = putVarint(frame, end, item.length);
    frame.set(item, end);
    end += item.length;
  }
  return frame;
}

/** Throws a KeyspaceError `damaged`. Flags that are not known are those of a later version, and mean nothing here. */
export function readChannelFrame(body: Buffer): ChannelFrame {
  const reader = new PackedReader(body, 'A frame from another node');
  const own = reader.varint();
  const peer = reader.varint();
  const flags = reader.byte();
  const received = reader.varint();
  const first = reader.varint();
  if (own === 0 || first === 0) throw reader.damaged('a number in it is 0');
  const items: Buffer[] = [];
  while (!reader.atEnd) items.push(reader.bytes(reader.varint()));
  return { own, peer, hello: (flags & HELLO) !== 0, ask: (flags & ASK) !== 0, received, first, items };
}
