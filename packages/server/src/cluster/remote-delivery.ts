import { setTimeout as pause } from 'node:timers/promises';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import { isPassing } from '../session/attempts.ts';
import { isJournaledFor } from '../session/journaled.ts';
import { isForAccount } from '../session/kept.ts';
import { originSince, UNORDERED } from '../session/origins.ts';
import type { Route, Session } from '../session/session.ts';
import { type Span, startSpan } from '../tracing/trace.ts';
import { encodeDeliver, encodeTrace } from './items.ts';

export interface RemoteDeliveryHost {
  /** The id of this node. */
  readonly self: string;
  /** Over the channel: in order, once, for as long as both nodes live. */
  send(to: string, item: Buffer): void;
  isAlive(node: string): boolean;
  /** Bytes for a node that it has not acknowledged. */
  waiting(node: string): number;
  /** A session of this node. */
  own(sid: string): Session | undefined;
  /**
   * The id of the node that owns a session, as the keyspace has it; undefined where the session is over. Rejects with a
   * KeyspaceError.
   */
  ownerOf(account: Jid, sid: string): Promise<string | undefined>;
  /** Resolves when it is worth looking once more, after so many attempts that came to nothing. */
  again(attempts: number): Promise<void>;
  /** The session is over. */
  onOver(sid: string): void;
  /** What the keyspace has of a session cannot be read: it counts as over, or whoever waits for it would do so for ever. */
  onUnreadable(error: unknown): void;
}

export const UNREADABLE =
  'What Redis has of a session cannot be read. Messages for it go elsewhere, as if it were over.';

const LOOK_AGAIN_MS = 20;
const LOOK_MOST_MS = 500;

/** The pause before a session is looked for once more, after so many attempts that came to nothing. */
export const lookAgain = (attempts: number): Promise<void> =>
  pause(Math.min(LOOK_AGAIN_MS * 2 ** attempts, LOOK_MOST_MS));

/** Bytes that may be on their way to one node before senders wait. */
const MOST_WAITING = 8 * 1024 * 1024;

/** Ids with the highest bit are those of questions. */
const MOST_ID = 0x7fffffff;

/** Where a session of another node is believed to be. */
export type Target = Pick<Route, 'jid' | 'sessionId'> & { readonly node: string; readonly resumable: boolean };

/** A stanza whose fate matters, until it is known. */
interface Pending {
  /** What the answer names. */
  readonly id: number;
  /** Those that were begun earlier have a smaller one. */
  readonly order: number;
  /** When its recipient was chosen, as `performance.now()`. */
  readonly since: number;
  readonly sid: string;
  readonly account: Jid;
  readonly stanza: Stanza;
  readonly origin: Origin;
  /** Where it is traced. */
  readonly hop: Span | undefined;
  /** True where the session has taken it for good, false where the session is over. */
  settle(taken: boolean): void;
}

/** What is being taken for a session: by one node at a time, be it this one. */
interface UnderWay {
  readonly node: string;
  count: number;
}

/**
 * Stanzas for sessions of other nodes.
 *
 * What must not get lost waits until the owner has taken it for good. Where the owner does not have the session any more,
 * or is gone itself, it is looked up who has it now, and all that waits for this session goes there in its order; what
 * comes for it meanwhile queues behind. The recipient's origins tell what it had before: they know the latest stanza alone,
 * so that nothing may overtake another on its way to a session, wherever that moves. Everything else is on its way at once,
 * and lost where the owner dies.
 */
export class RemoteDelivery implements Disposable {
  readonly #host: RemoteDeliveryHost;
  /** What is on its way to a node, by id: the oldest first. */
  readonly #pending = new Map<string, Map<number, Pending>>();
  /** Sessions that have to be looked for, with what waits for each. */
  readonly #lost = new Map<string, Pending[]>();
  readonly #underWay = new Map<string, UnderWay>();
  /** Of each session of this node what hears that it gets no messages for its account any more. */
  readonly #watches = new Map<string, Set<() => void>>();
  #order = 0;
  #k = 0;
  #over = false;

  constructor(host: RemoteDeliveryHost) {
    this.#host = host;
  }

  /** Stanzas whose fate is not known yet. */
  get size(): number {
    let size = 0;
    for (const pending of this.#pending.values()) size += pending.size;
    for (const pending of this.#lost.values()) size += pending.length;
    return size;
  }

  /** Sessions that are looked for. */
  get sought(): number {
    return this.#lost.size;
  }

  /** True where the session takes it, as far as is known; a promise where it must not get lost. */
  deliver(target: Target, stanza: Stanza): Awaitable<boolean> {
    const { sessionId: sid, node, resumable } = target;
    const text = stanza.toString();
    const lost = this.#lost.get(sid);
    const matters = (resumable || stanza.origin !== undefined) && isJournaledFor(target.jid, stanza, text.length);
    // who sends more than gets away waits, and is not read meanwhile
    const waits = matters || this.#host.waiting(node) > MOST_WAITING;
    const hop = startSpan('xmpp.hop', 'producer');
    if (!waits && lost === undefined && this.#host.isAlive(node)) {
      this.#tell(node, hop);
      hop?.end();
      this.#host.send(node, encodeDeliver({ id: 0, sid, first: false, origin: stanza.origin }, text));
      return true;
    }
    return new Promise((settle) => {
      const pending = this.#pendingOf(sid, target.jid.bare, stanza, this.nextOrder(), settle, hop);
      const elsewhere = (this.#underWay.get(sid)?.node ?? node) !== node;
      if (lost === undefined && !elsewhere && this.#host.isAlive(node)) this.#send(node, pending);
      else this.#lose(pending);
    });
  }

  /** Whether something for a session of this node is on its way to another one, which had it before, or waits. */
  precedes(sid: string): boolean {
    return this.#lost.has(sid) || (this.#underWay.get(sid)?.node ?? this.#host.self) !== this.#host.self;
  }

  /** Sends a session of this node a stanza after what precedes it. */
  queue({ sessionId: sid, account }: Session, stanza: Stanza): Promise<boolean> {
    return new Promise((settle) => this.#lose(this.#pendingOf(sid, account, stanza, this.nextOrder(), settle)));
  }

  /** A session of this node takes a stanza: until `end`, nothing is sent after it. */
  begin(sid: string): void {
    this.#count(sid, this.#host.self);
  }

  end(sid: string): void {
    const underWay = this.#underWay.get(sid);
    if (underWay !== undefined && --underWay.count === 0) this.#underWay.delete(sid);
  }

  #count(sid: string, node: string): void {
    const underWay = this.#underWay.get(sid);
    if (underWay === undefined) this.#underWay.set(sid, { node, count: 1 });
    else underWay.count++;
  }

  /** The place of a stanza among all others. */
  nextOrder(): number {
    return ++this.#order;
  }

  #pendingOf(
    sid: string,
    account: Jid,
    stanza: Stanza,
    order: number,
    settle: (taken: boolean) => void,
    hop?: Span,
  ): Pending {
    const [id, since, origin] = [(order % MOST_ID) + 1, performance.now(), this.originOf(stanza)];
    const pending = { id, order, since, sid, account, stanza, origin, hop, settle };
    if (hop !== undefined) {
      pending.settle = (taken) => {
        hop.end(taken ? undefined : 'session-over');
        settle(taken);
      };
    }
    return pending;
  }

  /** The next item for this node is part of a trace. */
  #tell(node: string, hop: Span | undefined): void {
    if (hop !== undefined) this.#host.send(node, encodeTrace(hop.traceparent));
  }

  /** What a recipient knows a stanza by that may reach it twice. */
  originOf(stanza: Stanza): Origin {
    if (stanza.origin !== undefined) return stanza.origin;
    this.#k = (this.#k + 1) >>> 0;
    return { sid: this.#host.self, k: this.#k, effect: UNORDERED };
  }

  /** A session of this node was taken over while it took a stanza: it is sent after it, to its place. */
  follow({ sessionId: sid, account }: Session, stanza: Stanza, order: number): Promise<boolean> {
    return new Promise((settle) => this.#lose(this.#pendingOf(sid, account, stanza, order, settle)));
  }

  /** A session has left this node: what was on its way to it here comes before anything that is sent after it. */
  hold(sid: string): void {
    if (this.#lost.has(sid)) return;
    this.#lost.set(sid, []);
    setImmediate(() => void this.#find(sid));
  }

  /** The node tells what became of a stanza. */
  onAnswer(from: string, id: number, done: boolean): void {
    const pending = this.#pending.get(from)?.get(id);
    if (pending === undefined) return;
    this.#pending.get(from)?.delete(id);
    this.end(pending.sid);
    if (done) pending.settle(true);
    else this.#lose(pending);
  }

  /** A node is gone: nobody knows what it has done of what was on its way. */
  onNodeGone(node: string): void {
    const pending = this.#pending.get(node);
    this.#pending.delete(node);
    for (const { sid } of pending?.values() ?? []) this.end(sid);
    for (const each of pending?.values() ?? []) this.#lose(each);
  }

  /** The node is gone from the cluster: who waits will not learn anything any more, and says it again elsewhere. */
  [Symbol.dispose](): void {
    this.#over = true;
  }

  #send(node: string, pending: Pending): void {
    let all = this.#pending.get(node);
    if (all === undefined) {
      all = new Map();
      this.#pending.set(node, all);
    }
    all.set(pending.id, pending);
    const { id, sid, stanza } = pending;
    const origin = originSince(pending.origin, pending.since);
    const first = !this.#underWay.has(sid);
    this.#count(sid, node);
    this.#tell(node, pending.hop);
    this.#host.send(node, encodeDeliver({ id, sid, first, origin }, stanza.toString()));
  }

  #lose(pending: Pending): void {
    const waiting = this.#lost.get(pending.sid);
    if (waiting === undefined) {
      this.#lost.set(pending.sid, [pending]);
      void this.#find(pending.sid);
      return;
    }
    // what was sent before comes before
    const last = waiting.findLastIndex(({ order }) => order < pending.order);
    waiting.splice(last + 1, 0, pending);
  }

  /** Sends everything that waits for a session to whoever has it. */
  async #find(sid: string): Promise<void> {
    const waiting = this.#lost.get(sid) as Pending[];
    for (let attempts = 0; !this.#over; ) {
      // what is on its way comes before whatever waits
      if (this.#underWay.has(sid)) {
        await this.#host.again(0);
        continue;
      }
      const [first] = waiting;
      if (first === undefined) break;
      const own = this.#host.own(sid);
      if (own !== undefined) {
        await this.#take(own, waiting);
        continue;
      }
      let owner: string | undefined;
      try {
        owner = await this.#host.ownerOf(first.account, sid);
      } catch (error) {
        if (isPassing(error)) {
          await this.#host.again(attempts++);
          continue;
        }
        if (error instanceof KeyspaceError && error.failure === 'closed') break; // the node stops
        this.#host.onUnreadable(error);
      }
      if (owner === undefined) {
        this.#host.onOver(sid);
        for (const pending of waiting.splice(0)) pending.settle(false);
      } else if (owner !== this.#host.self && this.#host.isAlive(owner)) {
        for (const pending of waiting.splice(0)) this.#send(owner, pending);
      } else {
        await this.#host.again(attempts++); // its node is gone, and nobody has taken it over yet
      }
    }
    this.#lost.delete(sid);
  }

  /** The session has come to this node. */
  async #take(own: Session, waiting: Pending[]): Promise<void> {
    while (waiting.length > 0 && !own.ended) {
      const [first] = waiting as [Pending];
      const { stanza } = first;
      if (isForAccount(stanza) && !isReceiving(own)) {
        // it gets no such messages any more: routed anew it may queue here itself, as a copy, and must find the way free
        waiting.splice(waiting.indexOf(first), 1);
        first.settle(false);
        continue;
      }
      const taken = own.send(stanza.withOrigin(originSince(first.origin, first.since)));
      if (taken instanceof Promise && (await this.#goesOn(own, stanza, taken))) {
        waiting.splice(waiting.indexOf(first), 1);
        void taken.then(() => (own.movedAway ? this.#lose(first) : first.settle(true)));
        continue;
      }
      if (own.movedAway) return;
      waiting.splice(waiting.indexOf(first), 1);
      first.settle(true);
    }
  }

  /** Resolves when a stanza is taken, or, with true, is in the way of nothing any more. */
  #goesOn(own: Session, stanza: Stanza, taken: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = this.whenNotFor(own, stanza, () => resolve(true));
      void taken.then(stop).then(() => resolve(false));
    });
  }

  /**
   * Calls back where a session gets no such messages any more before it has taken one for its account: that may be routed
   * anew then, and must not be waited for by what it may wait for itself. The returned function ends the watch.
   */
  whenNotFor({ sessionId }: Pick<Session, 'sessionId'>, stanza: Stanza, free: () => void): () => void {
    if (!isForAccount(stanza)) return () => {};
    const watches = this.#watches.get(sessionId) ?? new Set();
    this.#watches.set(sessionId, watches.add(free));
    return () => {
      watches.delete(free);
      if (watches.size === 0 && this.#watches.get(sessionId) === watches) this.#watches.delete(sessionId);
    };
  }

  /** Something of a session of this node is another. */
  changed(session: Pick<Session, 'sessionId' | 'available' | 'priority'>): void {
    if (this.#watches.size === 0 || isReceiving(session)) return;
    for (const free of this.#watches.get(session.sessionId) ?? []) free();
  }
}

const isReceiving = ({ available, priority }: Pick<Session, 'available' | 'priority'>): boolean =>
  available && priority >= 0;
