import { createHash } from 'node:crypto';
import type { KeyspaceState } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { isPassing } from '../../session/attempts.ts';
import { keptOf, readKept } from './offline-store.ts';

/** Newer writes than this may be lost with a Redis that dies; the time that it takes to notice that comes on top. */
const KEPT_MS = 15_000;
const MOST_MESSAGES = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;

export interface Stored {
  readonly account: Jid;
  readonly stanza: Stanza;
  /** As it was stored. */
  readonly text: Buffer;
  /** What it was stored under. */
  readonly origin: Origin;
}

export interface RestoreHost {
  /** Rejects where it comes to nothing. */
  store(stored: Stored): Promise<unknown>;
  /** Resolves when another attempt is worth it. */
  again(): Promise<void>;
  /** All of an account is there at last: somebody may have come meanwhile, and found nothing. */
  onLate(account: Jid): void;
  /** It is not there again, and never will be. */
  onLost(stored: Stored, error: unknown): void;
}

/**
 * What this node has stored lately, the oldest first, to be stored once more where the keyspace has lost it.
 *
 * Whether it has is told by the number of the last message of each sender, which is kept with what is stored. A keyspace
 * that has lost its newest writes is as it was at an earlier moment: of what one sender had stored for one account it has all
 * up to some message and none behind that. What it takes for stored, since it knows this number or a later one, it has or had,
 * unless another node was sooner to put back a later message of that sender. So this is not told by the number alone; and
 * nothing else may be stored before what is missing is there, or its number would hide from clients what they say again.
 */
export class RecentlyStored {
  readonly #kept = new Map<string, Stored & { readonly since: number; readonly place: number }>();
  /** What some client was given lately, by name, the oldest first: since when. */
  readonly #taken = new Map<string, number>();
  /** What was stored again may stand there without its origin: the name that it has then → its own. */
  readonly #bare = new Map<string, string>();
  readonly #node: string;
  readonly #noticedMs: () => number;
  /** For each account the last message that is being stored in its turn. */
  readonly #lines = new Map<string, Promise<void>>();
  #bytes = 0;
  #places = 0;
  #k = 0;
  /** When the keyspace went away, and for how long it was away before, in milliseconds. */
  #awaySince: number | undefined;
  #away = 0;
  /** For each account the end of what is being stored again. */
  readonly #restoringOf = new Map<string, Promise<void>>();
  #restores = 0;

  /**
   * The id of this node stands for senders that count nothing. `noticedMs` is how long a keyspace may be away before that
   * is noticed.
   */
  constructor(node: string, noticedMs: () => number = () => 0) {
    this.#node = node;
    this.#noticedMs = noticedMs;
  }

  get size(): number {
    return this.#kept.size;
  }

  /**
   * Stores a message that has no origin of its own, one of an account after the other: the number that each gets tells then
   * whether it is stored, also where an attempt has to be made again.
   */
  inTurn<Result>(account: Jid, store: (origin: Origin) => Promise<Result>): Promise<Result> {
    const { bareText } = account;
    const begin = (): Promise<Result> => {
      this.#k = (this.#k + 1) >>> 0;
      return store({ sid: this.#node, k: this.#k, effect: 0 });
    };
    const before = this.#lines.get(bareText);
    const stored = before === undefined ? begin() : before.then(begin);
    const line = stored
      .catch(() => {}) // its own caller is told
      .then(() => {
        if (this.#lines.get(bareText) === line) this.#lines.delete(bareText);
      });
    this.#lines.set(bareText, line);
    return stored;
  }

  /** Nothing gets older while the keyspace is away: what counts is what it can have lost, however late it comes back. */
  keyspaceIs(state: KeyspaceState): void {
    const now = performance.now();
    if (this.#awaySince !== undefined) this.#away += now - this.#awaySince;
    this.#awaySince = state === 'down' ? now : undefined;
  }

  /** Milliseconds of a clock that stands still while the keyspace is away. */
  get #now(): number {
    return (this.#awaySince ?? performance.now()) - this.#away;
  }

  /** What was stored before then has got wherever it is safe. */
  get #oldest(): number {
    return this.#now - KEPT_MS - this.#noticedMs();
  }

  /** Returns how many messages had to be forgotten too early. */
  add(stored: Stored): number {
    const added = nameOf(keptOf(stored.text, stored.origin));
    // it was restored: it counts from now, and comes before what was stored after it all the same, should it be lost once more
    const place = this.#kept.get(added)?.place ?? ++this.#places;
    this.#delete(added);
    this.#kept.set(added, { ...stored, since: this.#now, place });
    this.#bytes += stored.text.length;
    const oldest = this.#oldest;
    let early = 0;
    for (const [name, { since }] of this.#kept) {
      if (since >= oldest && this.#kept.size <= MOST_MESSAGES && this.#bytes <= MOST_BYTES) break;
      this.#delete(name);
      if (since >= oldest) early++;
    }
    return early;
  }

  /** Some client has these: they are not to be stored again, nor handed over where the keyspace has lost that they were. */
  taken(names: readonly string[]): void {
    for (const told of names) {
      const name = this.#bare.get(told) ?? told;
      this.#delete(name);
      this.#taken.set(told, this.#now);
      if (name !== told) this.#taken.set(name, this.#now);
    }
    const oldest = this.#oldest;
    for (const [name, since] of this.#taken) {
      if (since >= oldest && this.#taken.size <= MOST_MESSAGES) break;
      this.#taken.delete(name);
    }
  }

  /** Whether some client was given this lately. What has no origin may be there twice. */
  wasTaken(kept: Buffer): boolean {
    return this.#taken.size > 0 && readKept(kept).origin !== undefined && this.#taken.has(nameOf(kept));
  }

  /** The account is no more: nothing of it is stored again, and whoever gets its address next finds nothing. */
  forget(account: Jid): void {
    for (const [name, stored] of this.#kept) if (stored.account.equals(account)) this.#delete(name);
  }

  #delete(name: string): void {
    const stored = this.#kept.get(name);
    if (stored === undefined) return;
    this.#bytes -= stored.text.length;
    this.#kept.delete(name);
  }

  /**
   * Has everything stored again, of each account one after the other: whatever is stored after it is behind it. Tried until
   * it is done, or the keyspace has lost something once more and all begins anew. Resolves then.
   */
  async restore(host: RestoreHost): Promise<void> {
    const restoring = ++this.#restores;
    const isWanted = () => restoring === this.#restores;
    const isTaken = ({ text, origin }: Stored) => this.wasTaken(keptOf(text, origin));
    const oldest = this.#oldest;
    const all = [...this.#kept]
      .filter(([, { since }]) => since >= oldest)
      .sort(([, one], [, other]) => one.place - other.place);
    this.#bare.clear();
    for (const [name, { text }] of all) this.#bare.set(nameOf(text), name);
    const lately = all.map(([, stored]) => stored);
    for (const [account, stored] of Map.groupBy(lately, ({ account }) => account.bareText)) {
      const before = this.#restoringOf.get(account);
      const done: Promise<void> = Promise.allSettled([before, restoreAll(stored, host, isWanted, isTaken)]).then(() => {
        if (this.#restoringOf.get(account) === done) this.#restoringOf.delete(account);
      });
      this.#restoringOf.set(account, done);
    }
    await Promise.all(this.#restoringOf.values());
  }

  /** Something else may be stored, and delivered, once this resolves; undefined where it may be at once. */
  restored(account: Jid): Promise<void> | undefined {
    return this.#restoringOf.size === 0 ? undefined : this.#restoringOf.get(account.bareText);
  }
}

/** One that has to wait must not be overtaken by the next one of its sender, which would hide it. The first attempt is made in this turn. */
async function restoreAll(
  all: readonly Stored[],
  host: RestoreHost,
  isWanted: () => boolean,
  isTaken: (stored: Stored) => boolean,
): Promise<void> {
  for (const stored of all) {
    if (!isWanted()) return;
    // an attempt of unknown outcome may have been enough
    while (!isTaken(stored) && !(await attempt(stored, host))) {
      await host.again();
      if (!isWanted()) return;
    }
  }
  for (const { account } of all.slice(0, 1)) host.onLate(account);
}

/** Whether nothing is left to be done about it. */
async function attempt(stored: Stored, host: RestoreHost): Promise<boolean> {
  try {
    await host.store(stored);
  } catch (error) {
    if (isPassing(error)) return false;
    host.onLost(stored, error);
  }
  return true;
}

/** By what nodes tell each other of a message, as it is kept: all that have an origin differ. */
export const nameOf = (kept: Buffer): string => createHash('sha256').update(kept).digest('base64url').slice(0, 16);
