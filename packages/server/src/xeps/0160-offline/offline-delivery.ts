import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Log } from '../../log.ts';
import type { Awaitable } from '../../pipeline.ts';
import { deliver } from '../../routing/deliver.ts';
import { forward } from '../../routing/forward.ts';
import type { Router } from '../../routing/router.ts';
import { isPassing } from '../../session/attempts.ts';
import type { Journal } from '../../session/journal.ts';
import { isForAccount } from '../../session/kept.ts';
import { chosenAt, STORED } from '../../session/origins.ts';
import type { OtherNodes } from '../../session/other-nodes.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import type { Session } from '../../session/session.ts';
import type { BoundSession, Sessions } from '../../session/sessions.ts';
import { type OfflinePage, type OfflineStore, PAGE_MESSAGES, readKept } from './offline-store.ts';

export interface OfflineDeliveryHost {
  readonly store: OfflineStore;
  readonly sessions: Sessions;
  readonly journal: Journal;
  readonly otherNodes: OtherNodes | undefined;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly router: Router;
  /** Resolves when another attempt on a keyspace that failed is worth it. */
  again(): Promise<void>;
  /** A session has taken these messages for good. */
  onTaken(texts: readonly Buffer[]): void;
  /** Whether some session has, which the keyspace may have lost since. */
  wasTaken(text: Buffer): boolean;
  /** What may wait for one client. */
  output(): { readonly maxBytes: number; readonly maxStanzas: number };
}

interface Held {
  readonly stanza: Stanza;
  /** As `performance.now()`. */
  readonly since: number;
  readonly taken?: (commit: Awaitable<void>) => void;
}

interface Delivery {
  readonly session: Session;
  /** Its record says that it gets messages. */
  recorded: boolean;
  /** The stored messages that are being written. */
  readonly page: Set<Stanza>;
  /** What came for the session meanwhile, with whoever waits for it to be taken for good. */
  readonly held: Held[];
  heldBytes: number;
  /** Something has been stored since the last page was read, perhaps. */
  more: boolean;
  /** Ends the wait for the connection. */
  onEnd(): void;
}

/** Bytes of stored messages that are written before the connection must have taken them. */
const PORTION_BYTES = 131_072;

/** Gets messages to its account (RFC 6121 §8.5.2.1.1). */
const isReceiving = (session: Session): boolean => session.available && session.priority >= 0 && !session.ended;

/** Of two sessions, the one that has got the messages of the account for longer; all nodes say the same. */
const isBefore = (one: BoundSession, other: BoundSession): boolean =>
  one.receivingSince < other.receivingSince ||
  (one.receivingSince === other.receivingSince && one.sessionId < other.sessionId);

/**
 * Hands stored messages to sessions, an account's to one session at a time: a page is read, written, and removed once
 * the operating system has it. A node that dies in between leaves the page in the store, so that its messages may come
 * twice but are not lost. Messages that come for the session meanwhile are held and follow in their order.
 */
export class OfflineDelivery {
  readonly #host: OfflineDeliveryHost;
  readonly #running = new Map<string, Delivery>();
  /** Sessions for which it was looked since they began to get messages. */
  readonly #served = new WeakSet<Session>();
  /** Those of them for which that failed: their next presence is another attempt. */
  readonly #failed = new WeakSet<Session>();
  /** Those that have to acknowledge something before they get the rest. */
  readonly #full = new WeakSet<Session>();

  constructor(host: OfflineDeliveryHost) {
    this.#host = host;
  }

  /** The session is available: what waits for its account is for the session, if it may get messages. */
  available(session: Session): void {
    if (!isReceiving(session)) {
      this.unavailable(session);
    } else if (!this.#served.has(session) || this.#failed.delete(session)) {
      this.#served.add(session);
      const running = this.#running.get(session.account.bareText);
      // it may have got no messages for a moment, in which others stored some
      if (running !== undefined) running.more = true;
      else if (!this.#isServedElsewhere(session)) this.#start(session);
    }
  }

  /**
   * The session came here as its record had it. Its owner before may have died before it looked, and nobody else would: a
   * session that another node has stays behind one that was there before.
   */
  restored(session: Session): void {
    if (!isReceiving(session)) return;
    this.#served.add(session);
    const running = this.#running.get(session.account.bareText);
    if (running === undefined) this.#start(session, true);
    else running.more = true;
  }

  /** A session of another node comes first: what waits is for that one. */
  #isServedElsewhere(session: Session): boolean {
    const { sessions } = this.#host;
    return sessions.of(session.account).some((other) => other instanceof RemoteSession && isBefore(other, session));
  }

  /** A session of another node may have left something. */
  goneElsewhere(account: Jid): void {
    const running = this.#running.get(account.bareText);
    if (running !== undefined) {
      running.more = true;
      return;
    }
    const heir = this.#heirOf(account);
    if (heir !== undefined && this.#served.has(heir) && !this.#isServedElsewhere(heir)) this.#start(heir);
  }

  #heirOf(account: Jid): Session | undefined {
    return this.#host.sessions.here(account).find(isReceiving);
  }

  unavailable(session: Session): void {
    this.#served.delete(session);
    this.#full.delete(session);
  }

  /** The session has acknowledged enough to get more. */
  drained(session: Session): void {
    if (this.#full.delete(session) && !this.#running.has(session.account.bareText)) this.#start(session);
  }

  /** `recorded`: others can see that it is there. */
  #start(session: Session, recorded = false): void {
    const { bareText } = session.account;
    const delivery: Delivery = { session, recorded, page: new Set(), held: [], heldBytes: 0, more: true, onEnd() {} };
    this.#running.set(bareText, delivery);
    void this.#run(delivery);
  }

  /** True where the stanza was kept back, to follow what is stored: for a resumable session once its journal has it. */
  hold(stanza: Stanza, session: Session): Awaitable<boolean> {
    if (stanza.kind !== 'message') return false;
    // it gets messages already, though its presence is still on the way to its contacts
    if (!this.#served.has(session)) this.available(session);
    const delivery = this.#running.size === 0 ? undefined : this.#running.get(session.account.bareText);
    if (delivery?.session !== session) return this.#isTooLate(stanza, session) && this.#forward(stanza);
    if (delivery.page.has(stanza)) return false;
    const { maxBytes, maxStanzas } = this.#host.output();
    const { promise, resolve: taken } = Promise.withResolvers<void>();
    const { resumable = false } = session.management ?? {};
    const since = performance.now();
    delivery.held.push(resumable ? { stanza, since, taken } : { stanza, since });
    delivery.heldBytes += stanza.toString().length;
    if (delivery.heldBytes > maxBytes || delivery.held.length > maxStanzas) {
      const limit = delivery.heldBytes > maxBytes ? 'output-bytes' : 'output-stanzas';
      session.stream.host.onLimit(session.stream, limit);
      session.stream.cut('it reads too slowly');
    }
    return resumable ? promise.then(() => true) : true;
  }

  /** It was for the account when its sender, on another node, chose this session: now it goes behind what is stored. */
  #isTooLate(stanza: Stanza, session: Session): boolean {
    return !isReceiving(session) && !session.ended && isForAccount(stanza);
  }

  #forward(stanza: Stanza): Awaitable<true> {
    const taken = forward(this.#host.router, stanza);
    return taken instanceof Promise ? taken.then(() => true) : true;
  }

  /** The session is over: what was not removed yet stays for the next one. */
  end(session: Session): void {
    const delivery = this.#running.get(session.account.bareText);
    if (delivery?.session === session) delivery.onEnd();
  }

  /**
   * Whether a session that is handed what is stored is to get more of it: also where it gets no messages any more and
   * another one of this node would be next, which has got newer ones meanwhile.
   */
  #isWanted(session: Session): boolean {
    if (isReceiving(session) || session.ended) return !session.ended;
    const others = this.#host.sessions
      .of(session.account)
      .filter(({ receivingSince }) => Number.isFinite(receivingSince));
    const [next] = others.sort((one, other) => (isBefore(one, other) ? -1 : 1));
    return next !== undefined && !(next instanceof RemoteSession);
  }

  async #run(delivery: Delivery): Promise<void> {
    const { session } = delivery;
    let failed = false;
    try {
      while (this.#isWanted(session) && delivery.more) {
        delivery.more = false;
        // others store nothing from the moment on in which they can see that it is there
        if (!delivery.recorded) await this.#host.otherNodes?.recorded(session);
        delivery.recorded = false;
        while (this.#isWanted(session) && (await this.#next(delivery)));
      }
    } catch (error) {
      delivery.more = true;
      // what waits for the journal can wait for what was stored before it
      if (session.management?.resumable && isPassing(error)) return this.#host.again().then(() => this.#run(delivery));
      failed = true;
      this.#failed.add(session);
      this.#host.log.flood('offline.undelivered', { account: session.account.bareText, error: asError(error) });
    }
    this.#running.delete(session.account.bareText);
    for (const { stanza, since, taken } of delivery.held) {
      if (taken !== undefined && session.movedAway) {
        taken(undefined); // whoever waits sends it after the session: that is not to wait for what is sent here
        continue;
      }
      // what is for the account goes behind what is stored for it, where this session gets no more of that
      const elsewhere = isForAccount(stanza) && !failed && !isReceiving(session);
      const commit = elsewhere ? forward(this.#host.router, stanza) : session.send(chosenAt(stanza, since));
      taken?.(commit);
    }
    if (failed || isReceiving(session)) return;
    // what this session left is for another, if there is one
    const heir = this.#heirOf(session.account);
    if (heir !== undefined && !this.#isServedElsewhere(heir)) this.#start(heir);
  }

  /** Delivers some of what waits; true where there may be more. */
  async #next(delivery: Delivery): Promise<boolean> {
    const { store, metrics } = this.#host;
    const { session } = delivery;
    if (session.management?.full) {
      this.#full.add(session);
      return false;
    }
    const page = await store.page(session.account);
    if (page.texts.length === 0 || !this.#isWanted(session)) return false;
    const { count, commits } = this.#write(delivery, page);
    if (!(await this.#written(delivery, commits))) return false;
    delivery.page.clear();
    this.#host.onTaken(page.texts.slice(0, count));
    metrics.offlineDelivered.add(count);
    await store.remove(session.account, page.first + count);
    return count < page.texts.length || count === PAGE_MESSAGES;
  }

  /** Hands over messages from the beginning of the page, as many as may wait for the connection at once. */
  #write(delivery: Delivery, page: OfflinePage): { count: number; commits: Promise<boolean>[] } {
    const { journal } = this.#host;
    const commits: Promise<boolean>[] = [];
    let count = 0;
    let bytes = 0;
    for (const kept of page.texts) {
      bytes += kept.length;
      if (count > 0 && bytes > PORTION_BYTES) break;
      const { text, origin = originOf(page.first + count) } = readKept(kept);
      count++;
      const stanza = this.#host.wasTaken(kept) ? undefined : this.#read(delivery, text)?.withOrigin(origin);
      if (stanza === undefined) continue;
      delivery.page.add(stanza);
      const taken = deliver(journal, [delivery.session], stanza);
      if (taken instanceof Promise) commits.push(taken);
    }
    return { count, commits };
  }

  /** A text that cannot be read must not stop the others for ever: it is told of and passed over. */
  #read({ session }: Delivery, text: Buffer): Stanza | undefined {
    try {
      return stanzaFromText(text);
    } catch (error) {
      this.#host.log.error('offline.unreadable', { account: session.account.bareText, error: asError(error) });
      return undefined;
    }
  }

  /**
   * False where the session ended before all was written: for a resumable one into its journal, which outlives it. What it
   * did not commit is nowhere else (see `Departures`).
   */
  #written(delivery: Delivery, commits: readonly Promise<boolean>[]): Promise<boolean> {
    const { session } = delivery;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { management } = session;
    if (management?.resumable) {
      // what goes on to another node is taken there, behind what is held here: it is not waited for
      delivery.onEnd = () => session.movedAway && resolve(false);
      void Promise.all(commits).then((all) => resolve(!all.includes(false) && !management.backlog.isDeparted));
      delivery.onEnd();
      return promise;
    }
    delivery.onEnd = () => resolve(false);
    if (session.ended) resolve(false);
    else session.stream.transport.whenSent(() => resolve(true));
    return promise;
  }
}

/**
 * What tells that a session has had a stored message of unknown origin: the number that it has in the store. What does not fit into the
 * number of a sender's stanza stands in place of the sender's session.
 */
export const originOf = (number: number): Origin => ({
  sid: Math.floor(number / 2 ** 31)
    .toString(16)
    .padStart(16, '0'),
  k: number % 2 ** 31,
  effect: STORED,
});

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
