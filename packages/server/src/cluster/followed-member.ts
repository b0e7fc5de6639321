import type { AnnouncedSession } from './announced-session.ts';
import {
  type Announcement,
  type Change,
  encodeRequest,
  openAnnouncement,
  readChanges,
  type SnapshotPage,
} from './announcement.ts';

/** Who is told what a member has announced. */
export interface Follower {
  put(session: AnnouncedSession): void;
  remove(sid: string): void;
  /** All sessions of the member are exactly these. */
  reset(sessions: readonly AnnouncedSession[]): void;
  /** Sends the member a request. */
  ask(request: Buffer): void;
  /** Its first snapshot has been applied. */
  onKnown(): void;
  onDamaged(error: Error): void;
}

interface Fetching {
  readonly id: number;
  /** The page that comes next. */
  page: number;
  readonly sessions: Map<string, AnnouncedSession>;
  /** The highest number heard since it was asked for. */
  heard: number;
  readonly timer: NodeJS.Timeout;
}

/** Requests that this process has made, of all members: so an answer is never taken for that to another request. */
let requests = 0;

/** A snapshot of which no page has come for so long is asked for anew. */
const ANSWER_MS = 2000;
/** Changes behind a gap are kept up to so many bytes, until the gap is closed. */
const MOST_EARLY_BYTES = 32 * 1024 * 1024;

/**
 * Follows what one member announces. Its broadcasts are numbered, and are applied in the order of their numbers, each
 * once. Where one is missing, those behind it wait, and a snapshot is fetched; whatever closes the gap first is taken.
 */
export class FollowedMember {
  readonly #follower: Follower;
  /** Everything up to this number has been applied; undefined before the first snapshot. */
  #applied: number | undefined;
  /** The highest number that the member is known to have given. */
  #heard = 0;
  readonly #early = new Map<number, Buffer>();
  #earlyBytes = 0;
  #fetching: Fetching | undefined;

  /** Asks for the first snapshot: what came before there was somebody to follow it is not known. */
  constructor(follower: Follower) {
    this.#follower = follower;
    this.#fetch();
  }

  get known(): boolean {
    return this.#applied !== undefined;
  }

  /** The member is gone: nothing of it is waited for any more. */
  stop(): void {
    clearTimeout(this.#fetching?.timer);
  }

  /** A broadcast of the member: `announcement` is what `body` holds. */
  onAnnouncement(announcement: Announcement, body: Buffer): void {
    const { kind, number } = announcement;
    this.#hear(number);
    if (kind === 'changes') {
      if (number === this.#next) {
        if (this.#apply(announcement)) this.#applyEarly();
      } else if (this.#next === undefined || number > this.#next) {
        this.#keep(number, body);
      }
    }
    this.#fetchWhatIsMissing();
  }

  onPage({ id, page, last, asOf, sessions }: SnapshotPage): void {
    const fetching = this.#fetching;
    if (fetching?.id !== id || fetching.page !== page) return; // of a snapshot that has been given up
    for (const session of sessions) fetching.sessions.set(session.sid, session);
    if (!last) {
      fetching.page++;
      fetching.timer.refresh();
      this.#follower.ask(encodeRequest(id, fetching.page));
      return;
    }
    clearTimeout(fetching.timer);
    this.#fetching = undefined;
    // The snapshot was made after it was asked for, so that a number heard before and higher than its own is an error.
    this.#heard = Math.max(asOf, fetching.heard);
    this.#take(asOf, [...fetching.sessions.values()]);
    this.#fetchWhatIsMissing();
  }

  /** Of the change that can be applied now. */
  get #next(): number | undefined {
    return this.#applied === undefined ? undefined : this.#applied + 1;
  }

  #hear(number: number): void {
    this.#heard = Math.max(this.#heard, number);
    if (this.#fetching) this.#fetching.heard = Math.max(this.#fetching.heard, number);
  }

  #keep(number: number, body: Buffer): void {
    if (this.#early.has(number) || this.#earlyBytes + body.length > MOST_EARLY_BYTES) return;
    this.#early.set(number, Buffer.from(body)); // a copy: the bytes may be a piece of a large chunk
    this.#earlyBytes += body.length;
  }

  #drop(number: number, body: Buffer): void {
    this.#early.delete(number);
    this.#earlyBytes -= body.length;
  }

  #apply(announcement: Announcement): boolean {
    let changes: Change[];
    try {
      changes = readChanges(announcement); // all of them first: they count as a whole, or are missing as a whole
    } catch (error) {
      this.#follower.onDamaged(error as Error);
      return false;
    }
    this.#applied = announcement.number;
    for (const change of changes) {
      if ('put' in change) this.#follower.put(change.put);
      else this.#follower.remove(change.removed);
    }
    return true;
  }

  #applyEarly(): void {
    for (;;) {
      const number = this.#next ?? 0;
      const body = this.#early.get(number);
      if (body === undefined) return;
      this.#drop(number, body);
      if (!this.#apply(openAnnouncement(body))) return;
    }
  }

  #take(asOf: number, sessions: readonly AnnouncedSession[]): void {
    const wasKnown = this.known;
    if (this.#applied === undefined || asOf > this.#applied) {
      this.#applied = asOf;
      this.#follower.reset(sessions);
    }
    for (const [number, body] of this.#early) {
      if (number <= this.#applied || number > this.#heard) this.#drop(number, body);
    }
    this.#applyEarly();
    if (!wasKnown) this.#follower.onKnown();
  }

  #fetchWhatIsMissing(): void {
    if (this.#fetching === undefined && (this.#applied === undefined || this.#heard > this.#applied)) this.#fetch();
  }

  #fetch(): void {
    clearTimeout(this.#fetching?.timer);
    const timer = setTimeout(() => this.#fetch(), ANSWER_MS).unref();
    const id = ++requests;
    this.#fetching = { id, page: 0, sessions: new Map(), heard: 0, timer };
    this.#follower.ask(encodeRequest(id, 0));
  }
}
