import { PackedReader } from '../session/resumption/packed-reader.ts';
import { FRAME_VERSIONS, type FrameVersions, includesVersion } from './frame-versions.ts';

// 0 magic · 1 version · 2 kind · 3…10 sender · size of the ext area (varint) · ext area · body
//
// The first eleven bytes are the same in every version, so that it can always be told whose frame it is. The ext area is
// a row of (type: one byte, length: varint, bytes). It is for what a later version has to say beside the body: a receiver
// skips what it does not know, so that neighbouring versions run together. This version knows no type.
//
// Which version a frame is written in follows from what its receivers read (`frame-versions.ts`).
const MAGIC = 0xb5;
const CHANNEL = 1;
const ANNOUNCEMENT = 2;

export type FrameKind = 'channel' | 'announcement';

export interface Frame {
  readonly kind: FrameKind;
  readonly version: number;
  /** The id of the member that sent it. */
  readonly sender: string;
  /** Part of the frame, not a copy. */
  readonly body: Buffer;
}

/** What a frame of this version begins with. The body follows. */
export function frameHead(kind: FrameKind, sender: string, version = FRAME_VERSIONS.newest): Buffer {
  if (!/^[0-9a-f]{16}$/.test(sender)) throw new RangeError(`'${sender}' is no id of a member`);
  const head = Buffer.from([MAGIC, version, kind === 'channel' ? CHANNEL : ANNOUNCEMENT, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.write(sender, 3, 8, 'hex');
  return head;
}

/** Throws a KeyspaceError `damaged` where the bytes are no frame. Undefined where it is of a version that is not read. */
export function readFrame(bytes: Buffer, versions = FRAME_VERSIONS): Frame | undefined {
  const reader = new PackedReader(bytes, 'A frame from another node');
  if (reader.byte() !== MAGIC) throw reader.damaged('it does not begin as one');
  const version = reader.byte();
  if (!includesVersion(versions, version)) return undefined;
  const kind = reader.byte();
  const sender = reader.sessionId();
  reader.bytes(reader.varint());
  if (kind !== CHANNEL && kind !== ANNOUNCEMENT) throw reader.damaged(`its kind is ${kind}, which is not known`);
  return { kind: kind === CHANNEL ? 'channel' : 'announcement', version, sender, body: reader.rest() };
}

/** Whose frame it is, where it cannot be read otherwise; empty where not even that is to be seen. */
function senderOf(bytes: Buffer): string {
  return bytes.length >= 11 && bytes[0] === MAGIC ? bytes.toString('hex', 3, 11) : '';
}

export interface FramesHost {
  onFrame(frame: Frame): void;
  /** A frame of a version that is not read, whoever sent it; it is ignored. */
  onOtherVersion(sender: string, version: number): void;
  /** A frame is ignored, for this reason. Said once of each sender. */
  onDamaged(sender: string, error: Error): void;
}

/** Beyond so many senders of damaged frames nothing is said any more: whoever makes up senders fills no log. */
const MOST_DAMAGED = 256;

/** Takes what the bus pushes. */
export class Frames {
  readonly #host: FramesHost;
  readonly #versions: FrameVersions;
  readonly #damaged = new Set<string>();
  /** How many were ignored. */
  damaged = 0;

  constructor(host: FramesHost, versions = FRAME_VERSIONS) {
    this.#host = host;
    this.#versions = versions;
  }

  receive(bytes: Buffer): void {
    let frame: Frame | undefined;
    try {
      frame = readFrame(bytes, this.#versions);
    } catch (error) {
      this.#report(senderOf(bytes), error as Error);
      return;
    }
    if (frame !== undefined) this.#host.onFrame(frame);
    else this.#host.onOtherVersion(senderOf(bytes), bytes[1] as number);
  }

  #report(sender: string, error: Error): void {
    this.damaged++;
    if (this.#damaged.has(sender) || this.#damaged.size >= MOST_DAMAGED) return;
    this.#damaged.add(sender);
    this.#host.onDamaged(sender, error);
  }
}
