import { crc32 } from 'node:zlib';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Awaitable } from '../../pipeline.ts';
import { forward } from '../../routing/forward.ts';
import type { Router } from '../../routing/router.ts';
import { untilDone } from '../../session/attempts.ts';
import type { Management } from '../../session/management.ts';
import { STORED, UNORDERED } from '../../session/origins.ts';
import type { JournalEntry } from '../../session/resumption/journal-entry.ts';
import type { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Sent } from '../../session/sent.ts';
import type { Session } from '../../session/session.ts';

export interface DeparturesHost {
  readonly router: Router;
  readonly store: ResumptionStore;
  /** Whether another session of its account has a stanza that was taken then (milliseconds since 1970), soon after it was routed. */
  isHadByOthers(stanza: Stanza, account: Jid, at: number): Awaitable<boolean>;
  /** Resolves when another attempt to write to a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** See `OtherNodes`. */
  told?(account: Jid, sid: string): Awaitable<void>;
  /** Nobody has a session that another node might have had. */
  onOver?(session: Session): void;
  onUnreadable(error: unknown): void;
}

/** For how long it is remembered that a session is over, in milliseconds, and of how many. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 50_000;

/** What sessions that are over leave behind: each stanza that was not acknowledged goes somewhere else, once. */
export class Departures {
  readonly #host: DeparturesHost;
  readonly #running = new Map<string, Promise<void>>();
  /** Sessions of which what waits is being routed although they did not end here, or not yet. */
  readonly #finishing = new Map<string, Promise<void>>();
  /** By full JID: what resolves when the store has no session of it any more. */
  readonly #ending = new Map<string, Promise<void>>();
  /** Sessions that are over here, or perhaps, and of which something is left. */
  readonly #leaving = new Set<Session>();
  /** Sessions of which nothing is left, with when that was, and under which epoch they ended here: the oldest first. */
  readonly #over = new Map<string, { readonly since: number; readonly epoch: number }>();

  constructor(host: DeparturesHost) {
    this.#host = host;
  }

  /** A session is over. Resolves when nothing of it is left. */
  of(session: Session): Promise<void> {
    const { sessionId } = session;
    const before = this.#running.get(sessionId); // it was ended while it was taken away, say
    if (before !== undefined) return before;
    this.#leaving.add(session);
    const departure = this.#of(session)
      .then((over) => {
        if (over) this.#remember(sessionId, session.backlog?.epoch);
        session.management?.backlog.departed();
      })
      .catch((error) => {
        // the node stops: its successor does what is left
        if (!(error instanceof KeyspaceError) || error.failure !== 'closed') throw error;
      })
      .finally(() => {
        this.#running.delete(sessionId);
        this.#leaving.delete(session);
      });
    this.#running.set(sessionId, departure);
    return departure;
  }

  /** The store that answers from now on lacks its newest writes, as `Reassertion` tells the sessions that are not over. */
  storeChanged(): void {
    for (const { management } of this.#leaving) if (management?.resumable) management.backlog.storeChanged();
  }

  /** Resolves when a session that may just have ended is gone for good. */
  async done(sid: string): Promise<void> {
    await this.#running.get(sid)?.catch(() => {}); // told where it began
  }

  /** Resolves when the store may take another session with this full JID. */
  async ended(jid: Jid): Promise<void> {
    await this.#ending.get(jid.toString());
  }

  /** The store may take no other session with this full JID before this has ended. */
  await(jid: Jid, ending: Promise<unknown>): void {
    const place = jid.toString();
    const before = this.#ending.get(place);
    const all = Promise.allSettled([before, ending]).then(() => {
      if (this.#ending.get(place) === all) this.#ending.delete(place);
    });
    this.#ending.set(place, all);
  }

  #remember(sid: string, epoch = 0): void {
    const now = performance.now();
    this.#over.set(sid, { since: now, epoch });
    for (const [oldest, { since }] of this.#over) {
      if (now - since < REMEMBERED_MS && this.#over.size <= MOST_REMEMBERED) break;
      this.#over.delete(oldest);
    }
  }

  /**
   * Whether nothing is left of a session that has just ended, so that whatever the keyspace has of it is of the past: it
   * has lost its newest writes.
   */
  async isOver(sid: string): Promise<boolean> {
    await this.done(sid);
    return this.#over.has(sid);
  }

  /**
   * Somebody is about to take a session as the keyspace has it. Where it has lost that the session ended here, under that
   * epoch or a later one, it is to know that first.
   */
  async sought(account: Jid, sid: string): Promise<void> {
    const over = this.#over.get(sid);
    if (over === undefined) return;
    const { store, again } = this.#host;
    const found = await untilDone(() => store.find(account, sid), again);
    if (found === undefined || found.record.epoch > over.epoch) return;
    await untilDone(() => this.forget(account, found.record.resource, sid, found.record.epoch), again);
  }

  /** Lets go of what a keyspace still has of a session that is over. */
  async forget(account: Jid, resource: string, sid: string, epoch: number): Promise<void> {
    const { store } = this.#host;
    await store.end(account, resource, sid, epoch);
    await store.keepWaiting(account.withResource(resource), sid, 0);
  }

  /** Another node may have the session, or nobody: then what it leaves behind goes on from here. */
  async ofFenced(session: Session): Promise<void> {
    const { store, again } = this.#host;
    const { account, sessionId } = session;
    this.#leaving.add(session);
    try {
      await this.#host.told?.(account, sessionId);
      if ((await untilDone(() => store.find(account, sessionId), again)) !== undefined) return;
      this.#host.onOver?.(session);
      await this.of(session);
    } finally {
      this.#leaving.delete(session);
    }
  }

  /** False where somebody else has ended the session, or has it: what its journal had is not this one's to let go of. */
  async #of(session: Session): Promise<boolean> {
    const { management, jid, sessionId } = session;
    if (management === undefined) return true;
    const ending = this.ended(jid).then(() => this.#end(session, management));
    this.await(jid, ending);
    const { left, waiting } = await ending;
    const inJournal = ({ journaled, ready }: Sent) => journaled && ready && management.resumable;
    if (waiting !== undefined) {
      const journaled = left.filter(inJournal);
      // some may have been routed by `finish`: always the first ones
      await this.#forwardWaiting(jid, sessionId, journaled.slice(Math.max(0, journaled.length - waiting)));
      if (!management.backlog.asserted) await this.#forgetPast(session);
    }
    // whoever waits for it to be committed sends what has an origin after a session that was taken away
    const follows = ({ origin }: Sent) => session.movedAway && origin !== undefined;
    // what came out of a storage stays there until it is committed
    const isStored = ({ origin }: Sent) => management.resumable && origin?.effect === STORED;
    const rest = left.filter((sent) => !inJournal(sent) && !(sent.journaled && (follows(sent) || isStored(sent))));
    // nobody has a later one of the same sender: that one waits
    for (const sent of rest) await this.#forward(sent, jid, sent.journaled ? sent.origin : undefined);
    return waiting !== undefined || !management.resumable;
  }

  /**
   * What the client had not acknowledged, and how much of it the store has wait for being routed; undefined where that is
   * somebody else's affair.
   */
  async #end(
    session: Session,
    management: Management,
  ): Promise<{ left: readonly Sent[]; waiting: number | undefined }> {
    const { jid, sessionId } = session;
    await management.settled(); // what was acknowledged must not go on
    const left = management.backlog.takeAll();
    if (!management.resumable) return { left, waiting: undefined };
    await this.#finishing.get(sessionId);
    const { store, again } = this.#host;
    const { bare: account, resource } = jid;
    // whoever has it as a later owner
    if (!management.backlog.asserted) await this.#host.told?.(account, sessionId);
    // what the journal has is moved before anything of it goes on, so that a crash in between loses nothing of it
    const entries = await untilDone(() => store.end(account, resource, sessionId, management.epoch), again);
    if (!management.backlog.asserted)
      return { left, waiting: (await this.#isTheirs(session, management.epoch)) ? undefined : left.length };
    if (entries !== undefined) return { left, waiting: entries.length };
    // a walk of this very node may have found the record replaced, and ended the session before
    const found = await untilDone(() => store.leftBehind(account, resource, sessionId), again);
    return { left, waiting: found?.length || undefined };
  }

  /** Whether a store that lacks its newest writes says of a session that others have it. */
  async #isTheirs({ account, sessionId }: Session, epoch: number): Promise<boolean> {
    const { store, again } = this.#host;
    const found = await untilDone(() => store.find(account, sessionId), again);
    return found !== undefined && found.owner !== store.owner && found.record.epoch > epoch;
  }

  /** Has a store that has lost its newest writes know that a session is over, however it remembers it. */
  async #forgetPast({ account, sessionId }: Session): Promise<void> {
    const { store, again } = this.#host;
    await untilDone(async () => {
      const found = await store.find(account, sessionId);
      if (found !== undefined) await this.forget(account, found.record.resource, sessionId, found.record.epoch);
    }, again);
  }

  /** What others left undone that are gone. */
  async finish(isGone: (owner: string, sid: string) => boolean): Promise<void> {
    const { store } = this.#host;
    for await (const { jid, sid, owner, entries } of store.unfinished()) {
      const gone = isGone(owner, sid);
      if (!gone && owner !== store.owner) continue;
      // the keyspace has lost that all of it was routed
      if (this.#over.has(sid)) await store.keepWaiting(jid, sid, 0, owner);
      else if (gone || !this.#running.has(sid)) await this.#finish(jid, sid, entries, owner);
    }
  }

  async #finish(jid: Jid, sid: string, entries: readonly JournalEntry[], owner: string): Promise<void> {
    const before = this.#finishing.get(sid);
    if (before !== undefined) return before;
    const finishing = this.#forwardWaiting(jid, sid, entries, owner)
      .then(() => this.#remember(sid))
      .finally(() => this.#finishing.delete(sid));
    this.#finishing.set(sid, finishing);
    await finishing;
  }

  async #forwardWaiting(
    jid: Jid,
    sid: string,
    waiting: readonly (Sent | JournalEntry)[],
    owner?: string,
  ): Promise<void> {
    const { store, again } = this.#host;
    let left = waiting.length;
    const numbers = numbersOf(waiting);
    for (const each of waiting) {
      // who has it is asked, and asked again: it goes out of the keyspace then
      await this.#forward(each, jid, { sid, k: numbers.at(-left) as number, effect: UNORDERED });
      const now = --left;
      await untilDone(() => store.keepWaiting(jid, sid, now, owner), again);
    }
    if (waiting.length === 0) await untilDone(() => store.keepWaiting(jid, sid, 0, owner), again);
  }

  async #forward(left: Pick<Sent, 'text' | 'at' | 'origin'>, jid: Jid, origin?: Origin): Promise<void> {
    const { text, at } = left;
    let stanza: Stanza;
    try {
      stanza = stanzaFromText(Buffer.from(text));
    } catch (error) {
      this.#host.onUnreadable(error);
      return;
    }
    // who came while it was on its way to this one does not have it
    const had = left.origin?.late !== true && (await this.#host.isHadByOthers(stanza, jid.bare, at));
    if (!had) await forward(this.#host.router, stanza, at, origin);
  }
}

/**
 * The number of what a session leaves behind tells what it is, not where it stands: a store that has lost its newest writes
 * has fewer of them, and somebody else may route those. Of several that are the same the last one has it, and each before
 * that the next: the first ones are gone where somebody has begun to route them.
 */
function numbersOf(waiting: readonly Pick<Sent, 'text' | 'at' | 'origin'>[]): number[] {
  const had = new Set<number>();
  const numberOf = ({ text, at, origin }: Pick<Sent, 'text' | 'at' | 'origin'>) => {
    let number = crc32(`${at} ${origin?.sid} ${origin?.k} ${origin?.effect} ${text}`);
    while (had.has(number)) number = (number + 1) >>> 0;
    had.add(number);
    return number;
  };
  return waiting.toReversed().map(numberOf).reverse();
}
