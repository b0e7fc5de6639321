import type { AnnouncedSession } from './announced-session.ts';
import {
  type Announcement,
  encodeBeat,
  encodeChanges,
  inPages,
  openAnnouncement,
  putRecord,
  readItem,
  removedRecord,
  type SnapshotPage,
  type SnapshotRequest,
} from './announcement.ts';
import { FollowedMember } from './followed-member.ts';
import { SnapshotsServed } from './snapshots-served.ts';

/** What announcements need of the node. */
export interface AnnouncementsHost {
  /** Our id as a member. */
  readonly self: string;
  /** To all members, ourselves among them. It may get lost. */
  broadcast(body: Buffer): void;
  /** Over the reliable channel. */
  send(to: string, item: Buffer): void;
  /** The session of this node, as it is now; undefined where there is none (any more). */
  find(sid: string): AnnouncedSession | undefined;
  /**
   * All sessions of this node. It may be walked over many turns: what changes meanwhile may be in it or not, but what
   * stays as it is must be in it.
   */
  local(): Iterable<AnnouncedSession>;
  put(from: string, session: AnnouncedSession): void;
  remove(from: string, sid: string): void;
  /** All sessions of that member are exactly these: whatever else is known as its own is gone. */
  reset(from: string, sessions: readonly AnnouncedSession[]): void;
  /** Bytes of a member that cannot be read, or, of ourselves, a session that cannot be written. */
  onDamaged(from: string, error: Error): void;
}

interface Waiting {
  readonly members: Set<string>;
  readonly resolve: () => void;
}

/**
 * Tells the other members what changes of our sessions, and follows what they tell of theirs. Broadcasts may get lost,
 * come twice or out of order: they are numbered, every beat bears the last number, and whoever misses one fetches a
 * snapshot.
 */
export class Announcements {
  readonly #host: AnnouncementsHost;
  readonly #snapshots: SnapshotsServed;
  readonly #followed = new Map<string, FollowedMember>();
  readonly #waiting = new Set<Waiting>();
  /** Sessions that have changed since the last broadcast. */
  readonly #changed = new Set<string>();
  #number = 0;
  #lastEcho = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(host: AnnouncementsHost) {
    this.#host = host;
    this.#snapshots = new SnapshotsServed({
      lastNumber: () => this.#number,
      sessions: () => host.local(),
      send: (to, item) => host.send(to, item),
      onUnwritable: (error) => host.onDamaged(host.self, error),
    });
  }

  /** When we last heard a beat of our own, as `performance.now()`: the bus works. -Infinity: not yet. */
  get lastEcho(): number {
    return this.#lastEcho;
  }

  /** A session of ours came, has changed, or is gone: others are told at the end of this turn how it is then. */
  changed(sid: string): void {
    if (this.#stopped) return;
    if (this.#changed.size === 0) setImmediate(() => this.flush());
    this.#changed.add(sid);
  }

  /** Broadcasts what has changed without waiting for the end of the turn. */
  flush(): void {
    if (this.#changed.size === 0) return;
    const pages = inPages([...this.#changed].flatMap((sid) => this.#record(sid)));
    this.#changed.clear();
    for (;;) {
      const { value, done } = pages.next();
      if (value.length > 0) this.#host.broadcast(encodeChanges(++this.#number, value));
      if (done) return;
    }
  }

  /** To be called once a second: without it nobody would notice that the last change was lost. */
  beat(): void {
    if (this.#stopped) return;
    this.#snapshots.forgetIdle();
    this.#host.broadcast(encodeBeat(this.#number));
  }

  /** The link to the bus is there again: others find out now, not a second later, what they have missed of ours. */
  linkUp(): void {
    this.beat();
  }

  /** A member to follow from now on. What it broadcast before is not lost: its snapshot is newer. */
  joined(member: string): void {
    if (this.#stopped || member === this.#host.self || this.#followed.has(member)) return;
    const host = this.#host;
    const followed = new FollowedMember({
      put: (session) => host.put(member, session),
      remove: (sid) => host.remove(member, sid),
      reset: (sessions) => host.reset(member, sessions),
      ask: (request) => host.send(member, request),
      onKnown: () => this.#waitNoMoreFor(member),
      onDamaged: (error) => host.onDamaged(member, error),
    });
    this.#followed.set(member, followed);
  }

  /** Follows it no more. Its sessions stay as they are known: what becomes of them is for others to say. */
  left(member: string): void {
    this.#followed.get(member)?.stop();
    this.#followed.delete(member);
    this.#snapshots.forget(member);
    this.#waitNoMoreFor(member);
  }

  /** Resolves when a snapshot of each of them has been applied. One that has not joined, or has left, is not waited for. */
  known(members: Iterable<string>): Promise<void> {
    const unknown = [...members].filter((member) => this.#followed.get(member)?.known === false);
    if (unknown.length === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add({ members: new Set(unknown), resolve });
    return promise;
  }

  onBroadcast(from: string, body: Buffer): void {
    const followed = this.#followed.get(from);
    if (followed === undefined && from !== this.#host.self) return; // joined() will fetch what it says
    const announcement = this.#read(from, () => openAnnouncement(body));
    if (announcement === undefined) return;
    if (followed !== undefined) followed.onAnnouncement(announcement, body);
    else if (announcement.kind === 'beat') this.#lastEcho = performance.now();
  }

  onItem(from: string, item: Buffer): void {
    const read = this.#read(from, () => readItem(item));
    // Who asks may know of us before we know of it: it is answered all the same.
    if (read?.kind === 'request' && !this.#stopped) this.#snapshots.asked(from, read);
    else if (read?.kind === 'page') this.#followed.get(from)?.onPage(read);
  }

  /** Nothing is sent from now on, and nothing waited for. */
  stop(): void {
    for (const member of [...this.#followed.keys()]) this.left(member);
    this.#snapshots.forgetAll();
    this.#changed.clear();
    this.#stopped = true;
  }

  #record(sid: string): Buffer[] {
    try {
      const session = this.#host.find(sid);
      return [session === undefined ? removedRecord(sid) : putRecord(session)];
    } catch (error) {
      this.#host.onDamaged(this.#host.self, error as Error);
      return [];
    }
  }

  #read<T extends Announcement | SnapshotRequest | SnapshotPage>(from: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#host.onDamaged(from, error as Error);
      return undefined;
    }
  }

  #waitNoMoreFor(member: string): void {
    for (const waiting of this.#waiting) {
      if (!waiting.members.delete(member) || waiting.members.size > 0) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}
