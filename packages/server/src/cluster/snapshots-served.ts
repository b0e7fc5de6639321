import type { AnnouncedSession } from './announced-session.ts';
import { encodePage, inPages, type SnapshotRequest, sessionBytes } from './announcement.ts';

/** What serving snapshots needs of the announcements. */
export interface SnapshotSource {
  /** The number of the last changes that were broadcast. */
  lastNumber(): number;
  /** May be walked over many turns: what changes meanwhile may be in it or not, the rest is in it. */
  sessions(): Iterable<AnnouncedSession>;
  send(to: string, item: Buffer): void;
  /** A session that cannot be written; the snapshot goes out without it. */
  onUnwritable(error: Error): void;
}

interface Serving {
  readonly id: number;
  pages: Generator<Buffer[], Buffer[]> | undefined;
  asOf: number;
  /** The page that may be asked for next. */
  next: number;
  asked: boolean;
  lastAsked: number;
}

/** Who stops asking in the middle of a snapshot is forgotten after this time. */
const IDLE_MS = 10_000;

/**
 * The snapshots of our own sessions that other members fetch, page by page: each page is written when it is asked for,
 * so that nobody is sent more than it takes, and a large node is not held up by the whole.
 */
export class SnapshotsServed {
  readonly #source: SnapshotSource;
  /** By who asks: one a member, the newest. */
  readonly #servings = new Map<string, Serving>();

  constructor(source: SnapshotSource) {
    this.#source = source;
  }

  /** Answers in the next turn, so that requests that waited for a link together get one answer, the newest. */
  asked(from: string, { id, page }: SnapshotRequest): void {
    let serving = this.#servings.get(from);
    if (page === 0 && serving?.id !== id) {
      serving = { id, pages: undefined, asOf: 0, next: 0, asked: false, lastAsked: 0 };
      this.#servings.set(from, serving);
    }
    if (serving?.id !== id || serving.next !== page || serving.asked) return;
    serving.asked = true;
    serving.lastAsked = performance.now();
    setImmediate(() => this.#answer(from, serving));
  }

  forget(member: string): void {
    this.#servings.delete(member);
  }

  forgetAll(): void {
    this.#servings.clear();
  }

  forgetIdle(): void {
    const since = performance.now() - IDLE_MS;
    for (const [member, serving] of this.#servings) if (serving.lastAsked < since) this.#servings.delete(member);
  }

  #answer(to: string, serving: Serving): void {
    if (this.#servings.get(to) !== serving) return;
    if (serving.pages === undefined) {
      serving.asOf = this.#source.lastNumber();
      serving.pages = inPages(this.#written());
    }
    const { value, done = false } = serving.pages.next();
    const { id, asOf, next } = serving;
    serving.next++;
    serving.asked = false;
    if (done) this.#servings.delete(to);
    this.#source.send(to, encodePage({ id, page: next, last: done, asOf }, value));
  }

  *#written(): Generator<Buffer> {
    for (const session of this.#source.sessions()) {
      let bytes: Buffer;
      try {
        bytes = sessionBytes(session);
      } catch (error) {
        this.#source.onUnwritable(error as Error);
        continue;
      }
      yield bytes;
    }
  }
}
