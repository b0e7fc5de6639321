import { PackedReader } from '../session/resumption/packed-reader.ts';

// 0 magic · 1 version · 2 kind · 3…10 sender · size of the ext area (varint) · ext area · body
//
// The first eleven bytes are the same in every version, so that it can always be told whose frame it is. The ext area is
// a row of (type: one byte, length: varint, bytes). It is for what a later version has to say beside the body: a receiver
// skips what it does not know, so that neighbouring versions run together. This version knows no type.
const MAGIC = 0xb5;
const VERSION = 1;
const CHANNEL = 1;
const ANNOUNCEMENT = 2;

/** The highest version of frames that this program reads. */
export const FRAMES = 1;

export type FrameKind = 'channel' | 'announcement';

export interface Frame {
  readonly kind: FrameKind;
  /** The id of the member that sent it. */
  readonly sender: string;
  /** Part of the frame, not a copy. */
  readonly body: Buffer;
}

/** What a frame begins with. The body follows. */
export function frameHead(kind: FrameKind, sender: string): Buffer {
  if (!/^[0-9a-f]{16}$/.test(sender)) throw new RangeError(`'${sender}' is no id of a member`);
  const head = Buffer.from([MAGIC, VERSION, kind === 'channel' ? CHANNEL : ANNOUNCEMENT, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.write(sender, 3, 8, 'hex');
  return head;
}

/** Throws a KeyspaceError `damaged` where the bytes are no frame, or one that this version does not know. */
export function readFrame(bytes: Buffer): Frame {
  const reader = new PackedReader(bytes, 'A frame from another node');
  if (reader.byte() !== MAGIC) throw reader.damaged('it does not begin as one');
  reader.version(VERSION);
  const kind = reader.byte();
  const sender = reader.sessionId();
  reader.bytes(reader.varint());
  if (kind !== CHANNEL && kind !== ANNOUNCEMENT) throw reader.damaged(`its kind is ${kind}, which is not known`);
  return { kind: kind === CHANNEL ? 'channel' : 'announcement', sender, body: reader.rest() };
}

/** Whose frame it is, where it cannot be read otherwise; empty where not even that is to be seen. */
function senderOf(bytes: Buffer): string {
  return bytes.length >= 11 && bytes[0] === MAGIC ? bytes.toString('hex', 3, 11) : '';
}

export interface FramesHost {
  onFrame(frame: Frame): void;
  /** A frame is ignored, for this reason. Said once of each sender. */
  onDamaged(sender: string, error: Error): void;
}

/** Beyond so many senders of damaged frames nothing is said any more: whoever makes up senders fills no log. */
const MOST_DAMAGED = 256;

/** Takes what the bus pushes. */
export class Frames {
  readonly #host: FramesHost;
  readonly #damaged = new Set<string>();
  /** How many were ignored. */
  damaged = 0;

  constructor(host: FramesHost) {
    this.#host = host;
  }

  receive(bytes: Buffer): void {
    const frame = this.#read(bytes);
    if (frame !== undefined) this.#host.onFrame(frame);
  }

  #read(bytes: Buffer): Frame | undefined {
    try {
      return readFrame(bytes);
    } catch (error) {
      this.#report(senderOf(bytes), error as Error);
      return undefined;
    }
  }

  #report(sender: string, error: Error): void {
    this.damaged++;
    if (this.#damaged.has(sender) || this.#damaged.size >= MOST_DAMAGED) return;
    this.#damaged.add(sender);
    this.#host.onDamaged(sender, error);
  }
}
