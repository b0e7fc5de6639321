import { Jid, JidError } from '@parley/xmpp/jid';
import type { PackedWriter } from '../session/resumption/packed-writer.ts';
import type { Session } from '../session/session.ts';
import type { AnnouncementReader } from './announcement-reader.ts';

/** What every node knows of a session of another. */
export interface AnnouncedSession {
  /** 16 hexadecimal digits. */
  readonly sid: string;
  /** Counts the owners of a resumable session: 1 at first. 0 where it never can be resumed. */
  readonly epoch: number;
  /** With its resource. */
  readonly jid: Jid;
  /** Times are milliseconds since 1970. */
  readonly boundAt: number;
  readonly priority: number;
  /** Has asked for its roster. */
  readonly interested: boolean;
  /** Since when it has wanted carbons, Infinity while it wants none. */
  readonly carbonsSince: number;
  /** Since when it has got messages for its account, Infinity while it gets none. */
  readonly receivingSince: number;
  /** Has no stream, and waits for its client. */
  readonly detached: boolean;
  readonly resumable: boolean;
  /** The last available presence, as XML; undefined while unavailable. */
  readonly presence: string | undefined;
}

/** What others are to know of a session of this node. */
export function announced(session: Session): AnnouncedSession {
  const { sessionId, jid, boundAt, priority, interested, carbonsSince, receivingSince, detached, backlog } = session;
  const resumable = backlog?.resumable === true;
  return {
    sid: sessionId,
    epoch: resumable ? (backlog?.epoch ?? 0) : 0,
    jid,
    boundAt,
    priority,
    interested,
    carbonsSince,
    receivingSince,
    detached,
    resumable,
    presence: session.presence?.toString(),
  };
}

// sid, epoch, jid, boundAt, priority + 128, flags, [carbonsSince,] [receivingSince,] [presence]
const INTERESTED = 1;
const CARBONS = 2;
const RECEIVING = 4;
const DETACHED = 8;
const RESUMABLE = 16;
const AVAILABLE = 32;

export function writeSession(writer: PackedWriter, session: AnnouncedSession): void {
  const { carbonsSince, receivingSince, presence } = session;
  const carbons = carbonsSince !== Number.POSITIVE_INFINITY;
  const receiving = receivingSince !== Number.POSITIVE_INFINITY;
  writer.sessionId(session.sid);
  writer.varint(session.epoch);
  writer.text(session.jid.toString());
  writer.varint(session.boundAt);
  writer.byte(session.priority + 128);
  writer.byte(
    (session.interested ? INTERESTED : 0) |
      (carbons ? CARBONS : 0) |
      (receiving ? RECEIVING : 0) |
      (session.detached ? DETACHED : 0) |
      (session.resumable ? RESUMABLE : 0) |
      (presence === undefined ? 0 : AVAILABLE),
  );
  if (carbons) writer.varint(carbonsSince);
  if (receiving) writer.varint(receivingSince);
  if (presence !== undefined) writer.text(presence);
}

/** Throws a KeyspaceError `damaged`. No string of it shares memory with the bytes. */
export function readSession(reader: AnnouncementReader): AnnouncedSession {
  const sid = reader.sessionId();
  const epoch = reader.varint();
  const jid = readJid(reader);
  const boundAt = reader.varint();
  const priority = reader.byte() - 128;
  const flags = reader.byte();
  if (flags >= 2 * AVAILABLE) throw reader.damaged('the flags of a session are unknown');
  return {
    sid,
    epoch,
    jid,
    boundAt,
    priority,
    interested: (flags & INTERESTED) !== 0,
    carbonsSince: flags & CARBONS ? reader.varint() : Number.POSITIVE_INFINITY,
    receivingSince: flags & RECEIVING ? reader.varint() : Number.POSITIVE_INFINITY,
    detached: (flags & DETACHED) !== 0,
    resumable: (flags & RESUMABLE) !== 0,
    presence: flags & AVAILABLE ? reader.text() : undefined,
  };
}

function readJid(reader: AnnouncementReader): Jid {
  const text = reader.text();
  try {
    const jid = Jid.parse(text);
    if (!jid.isBare) return jid;
  } catch (error) {
    if (!(error instanceof JidError)) throw error;
  }
  throw reader.damaged('the address of a session is none');
}
