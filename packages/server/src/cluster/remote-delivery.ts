import type { Jid } from '@parley/xmpp/jid';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import { isJournaled } from '../session/journaled.ts';
import { UNORDERED } from '../session/origins.ts';
import type { Route, Session } from '../session/session.ts';
import { encodeDeliver } from './items.ts';

export interface RemoteDeliveryHost {
  /** The id of this node. */
  readonly self: string;
  /** Over the channel: in order, once, for as long as both nodes live. */
  send(to: string, item: Buffer): void;
  isAlive(node: string): boolean;
  /** A session of this node. */
  own(sid: string): Session | undefined;
  /** The id of the node that owns a session, as the keyspace has it; undefined where the session is over. */
  ownerOf(account: Jid, sid: string): Promise<string | undefined>;
  /** Resolves when it is worth looking once more. */
  again(): Promise<void>;
  /** The session is over. */
  onOver(sid: string): void;
}

/** Ids with the highest bit are those of questions. */
const MOST_ID = 0x7fffffff;

/** Where a session of another node is believed to be. */
export type Target = Pick<Route, 'jid' | 'sessionId'> & { readonly node: string; readonly resumable: boolean };

/** A stanza whose fate matters, until it is known. */
interface Pending {
  readonly id: number;
  readonly sid: string;
  readonly account: Jid;
  readonly stanza: Stanza;
  readonly origin: Origin | undefined;
  /** True where the session has taken it for good, false where the session is over. */
  settle(taken: boolean): void;
}

/**
 * Stanzas for sessions of other nodes.
 *
 * What must not get lost waits until the owner has taken it for good. Where the owner does not have the session any more,
 * or is gone itself, it is looked up who has it now, and all that waits for this session goes there in its order; what
 * comes for it meanwhile queues behind. The recipient's origins tell what it had before. Everything else is on its way at
 * once, and lost where the owner dies.
 */
export class RemoteDelivery implements Disposable {
  readonly #host: RemoteDeliveryHost;
  /** What is on its way to a node, by id: the oldest first. */
  readonly #pending = new Map<string, Map<number, Pending>>();
  /** Sessions that have to be looked for, with what waits for each. */
  readonly #lost = new Map<string, Pending[]>();
  #id = 0;
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

  /** True where the session takes it, as far as is known; a promise where it must not get lost. */
  deliver(target: Target, stanza: Stanza): Awaitable<boolean> {
    const { sessionId: sid, node, resumable } = target;
    const text = stanza.toString();
    const lost = this.#lost.get(sid);
    const matters = isJournaled(stanza, text.length) && (resumable || stanza.origin !== undefined);
    if (!matters && lost === undefined && this.#host.isAlive(node)) {
      this.#host.send(node, encodeDeliver(0, sid, stanza.origin, text));
      return true;
    }
    return new Promise((settle) => {
      const account = target.jid.bare;
      const pending: Pending = { id: this.#nextId(), sid, account, stanza, origin: this.originOf(stanza), settle };
      if (lost !== undefined) lost.push(pending);
      else if (this.#host.isAlive(node)) this.#send(node, pending);
      else this.#lose(pending);
    });
  }

  /** What a recipient knows a stanza by that may reach it twice. */
  originOf(stanza: Stanza): Origin {
    if (stanza.origin !== undefined) return stanza.origin;
    this.#k = (this.#k + 1) >>> 0;
    return { sid: this.#host.self, k: this.#k, effect: UNORDERED };
  }

  /** A session of this node was taken over while it took a stanza: it is sent after it. */
  follow(session: Session, stanza: Stanza): Promise<boolean> {
    return new Promise((settle) => {
      const { sessionId: sid, account } = session;
      this.#lose({ id: this.#nextId(), sid, account, stanza, origin: this.originOf(stanza), settle });
    });
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
    if (done) pending.settle(true);
    else this.#lose(pending);
  }

  /** A node is gone: nobody knows what it has done of what was on its way. */
  onNodeGone(node: string): void {
    const pending = this.#pending.get(node);
    this.#pending.delete(node);
    for (const each of pending?.values() ?? []) this.#lose(each);
  }

  /** The node is gone from the cluster: who waits will not learn anything any more, and says it again elsewhere. */
  [Symbol.dispose](): void {
    this.#over = true;
  }

  #nextId(): number {
    this.#id = this.#id === MOST_ID ? 1 : this.#id + 1;
    return this.#id;
  }

  #send(node: string, pending: Pending): void {
    let all = this.#pending.get(node);
    if (all === undefined) {
      all = new Map();
      this.#pending.set(node, all);
    }
    all.set(pending.id, pending);
    const { id, sid, origin, stanza } = pending;
    this.#host.send(node, encodeDeliver(id, sid, origin, stanza.toString()));
  }

  #lose(pending: Pending): void {
    const waiting = this.#lost.get(pending.sid);
    if (waiting === undefined) {
      this.#lost.set(pending.sid, [pending]);
      void this.#find(pending.sid);
      return;
    }
    // what was sent before comes before
    const place = waiting.findIndex(({ id }) => id > pending.id);
    waiting.splice(place === -1 ? waiting.length : place, 0, pending);
  }

  /** Whether anything for a session is on its way still, whose answer will tell. */
  #isUnderWay(sid: string): boolean {
    for (const pending of this.#pending.values())
      for (const each of pending.values()) if (each.sid === sid) return true;
    return false;
  }

  /** Sends everything that waits for a session to whoever has it. */
  async #find(sid: string): Promise<void> {
    const waiting = this.#lost.get(sid) as Pending[];
    while (!this.#over) {
      // what is on its way comes before whatever waits
      if (this.#isUnderWay(sid)) {
        await this.#host.again();
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
      } catch {
        // the keyspace is away, or the record cannot be read now
        await this.#host.again();
        continue;
      }
      if (owner === undefined) {
        this.#host.onOver(sid);
        for (const pending of waiting.splice(0)) pending.settle(false);
      } else if (owner !== this.#host.self && this.#host.isAlive(owner)) {
        for (const pending of waiting.splice(0)) this.#send(owner, pending);
      } else {
        await this.#host.again();
      }
    }
    this.#lost.delete(sid);
  }

  /** The session has come to this node. */
  async #take(own: Session, waiting: Pending[]): Promise<void> {
    while (waiting.length > 0 && !own.ended) {
      const [first] = waiting as [Pending];
      await own.send(first.stanza.withOrigin(first.origin));
      if (own.movedAway) return;
      waiting.shift();
      first.settle(true);
    }
  }
}
