import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Awaitable } from '../pipeline.ts';
import { untilDone } from '../session/attempts.ts';
import type { Journal } from '../session/journal.ts';
import type { Offer } from '../session/offer.ts';
import type { OtherNodes } from '../session/other-nodes.ts';
import { RemoteSession } from '../session/remote-session.ts';
import { NO_COUNTS } from '../session/resumption/journal-counts.ts';
import { isQueue, queueIndexKeys } from '../session/resumption/resumption-keys.ts';
import type { KeptSession, RecordedSession, ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Sent } from '../session/sent.ts';
import type { Route, Session, SessionHost } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Stream } from '../stream/stream.ts';
import { startSpan } from '../tracing/trace.ts';
import { QueueSession, type QueueSessionHost } from './queue-session.ts';

/** The other nodes, as far as queues have to do with them. */
export interface QueueNodes
  extends Pick<OtherNodes, 'isAlive' | 'confirmed' | 'refresh' | 'release' | 'told' | 'isUndisputed'> {
  changed(session: Session): void;
  came(session: Session): void;
  moved(session: Session): void;
  ended(session: Session): Promise<void>;
}

export interface QueueSessionsHost {
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly journal: () => Journal;
  /** Undefined where this node is alone. */
  readonly nodes: QueueNodes | undefined;
  /** In place of clients' streams. */
  readonly stream: () => Stream;
  again(): Promise<void>;
  /** Hands a stanza on as if it had just come. */
  route(stanza: Stanza): Awaitable<void>;
  onFault(error: unknown): void;
}

/** Whoever has the streams. */
export interface QueueOwner {
  /** A queue is this node's from now on; with what its owner before has left, if there was one. */
  onBegin(session: QueueSession): void;
  onReady(session: QueueSession): void;
  /** See `Session`. */
  mayMiss(session: QueueSession, stanza: Stanza): boolean;
  /** Takes a stanza: see `Session.send`. */
  take(session: QueueSession, stanza: Stanza): Awaitable<void>;
  release(session: QueueSession): void;
  /** It is not this node's any more. */
  onEnd(session: QueueSession): void;
}

/** How often it is looked for who has a queue that goes from node to node. */
const ATTEMPTS = 20;

/** The queues to other servers as sessions: which node has which, how a stanza gets there, and who takes over. */
export class QueueSessions {
  readonly #host: QueueSessionsHost;
  readonly #owner: QueueOwner;
  readonly #sessionHost: QueueSessionHost;
  /** What is being done about a queue that nobody has, by its address. */
  readonly #coming = new Map<string, Promise<void>>();
  readonly #ending = new Map<string, Promise<void>>();

  constructor(host: QueueSessionsHost, owner: QueueOwner) {
    this.#host = host;
    this.#owner = owner;
    const session = this.#forSessions();
    this.#sessionHost = {
      session,
      store: host.store,
      get stream() {
        return host.stream();
      },
      again: () => host.again(),
      isUndisputed: (queue, epoch) => host.nodes?.isUndisputed(queue, epoch) ?? Promise.resolve(true),
      onFault: (error) => host.onFault(error),
      mayMiss: (queue, stanza) => owner.mayMiss(queue, stanza),
      onReady: (queue) => owner.onReady(queue),
      onFenced: (queue) => void this.#onFenced(queue).catch((error) => host.onFault(error)),
      release: (queue) => owner.release(queue),
    };
  }

  /** The address of the queue of a pair of domains. */
  addressOf(local: string, remote: string): Jid {
    return Jid.of(undefined, remote, local);
  }

  /** The node that has a queue, where that is another one. */
  elsewhere(address: Jid): string | undefined {
    const found = this.#host.sessions.get(address);
    return found instanceof RemoteSession && this.#host.nodes?.isAlive(found.node) ? found.node : undefined;
  }

  /** Hands a stanza to whoever has the queue. The promise, if there is one, resolves when it has taken it for good. */
  deliver(address: Jid, stanza: Stanza): Awaitable<void> {
    const route = this.#host.sessions.get(address);
    if (route === undefined) return this.#find(address, stanza, 0);
    const taken = this.#give(route, stanza);
    if (taken === true) return;
    return taken === false
      ? this.#find(address, stanza, 0)
      : taken.then((still) => this.#checked(still, address, stanza));
  }

  #checked(taken: boolean, address: Jid, stanza: Stanza): Awaitable<void> {
    if (!taken) return this.#find(address, stanza, 0);
  }

  async #find(address: Jid, stanza: Stanza, attempts: number): Promise<void> {
    const { sessions } = this.#host;
    for (let attempt = attempts; attempt < ATTEMPTS; attempt++) {
      await this.#ending.get(address.toString());
      if (sessions.get(address) === undefined) await this.#come(address);
      const route = sessions.get(address);
      if (route !== undefined && (await this.#give(route, stanza))) return;
    }
    throw new StanzaError('resource-constraint', { type: 'wait', text: `Nobody takes what is for ${address.domain}.` });
  }

  /** False where the session is gone. */
  #give(route: Route, stanza: Stanza): Awaitable<boolean> {
    let result: boolean | undefined;
    let settle = (taken: boolean): void => {
      result = taken;
    };
    this.#host.journal().append([route], stanza, (gone) => settle(gone.length === 0));
    return (
      result ??
      new Promise((resolve) => {
        settle = resolve;
      })
    );
  }

  #come(address: Jid): Promise<void> {
    const key = address.toString();
    const before = this.#coming.get(key);
    if (before !== undefined) return before;
    const coming = this.#open(address).finally(() => this.#coming.delete(key));
    this.#coming.set(key, coming);
    return coming;
  }

  /** Makes a queue, or finds out who has it. Rejects with a KeyspaceError. */
  async #open(address: Jid): Promise<void> {
    const { store, nodes, sessions } = this.#host;
    const account = address.bare;
    await nodes?.confirmed();
    await nodes?.told(account);
    const session = new QueueSession(address, this.#sessionHost);
    const { epoch } = session.backlog;
    const found = await store.openQueue(account, session.record(epoch), {
      handled: 0,
      origins: new Map(),
      counts: NO_COUNTS,
    });
    if (found === undefined) {
      this.#begin(session);
      return;
    }
    if (sessions.owned({ sessionId: found.sid }) !== undefined) return;
    if (found.owner !== store.owner && nodes?.isAlive(found.owner)) await nodes.refresh(account);
    else await this.#claim(account, found.sid, (owner) => owner === found.owner);
  }

  async #claim(account: Jid, sid: string, mayTakeFrom: (owner: string, epoch: number) => boolean): Promise<void> {
    const { nodes, store } = this.#host;
    await nodes?.confirmed();
    await nodes?.told(account, sid);
    const kept = await store.claim(account, sid, mayTakeFrom);
    if (kept !== undefined) this.#restore(account, kept);
  }

  #restore(account: Jid, kept: KeptSession): void {
    const { sessions, nodes } = this.#host;
    const { record, header, entries } = kept;
    if (sessions.owned({ sessionId: record.sid }) !== undefined) return;
    const address = account.withResource(record.resource);
    const from = { record, epoch: record.epoch, header, entries };
    const session = new QueueSession(address, this.#sessionHost, record.sid, from);
    this.#begin(session);
    nodes?.came(session);
  }

  #begin(session: QueueSession): void {
    this.#host.sessions.add(session);
    this.#host.nodes?.changed(session);
    this.#owner.onBegin(session);
  }

  /** Takes over what nodes that are gone had. How many queues that were. */
  async reap(isGone: (owner: string, sid: string) => boolean): Promise<number> {
    const { store } = this.#host;
    let count = 0;
    for await (const page of store.all(queueIndexKeys)) {
      const gone = page.filter(({ owner, record }) => isGone(owner, record.sid));
      await Promise.all(gone.map((found) => this.#reap(found)));
      count += gone.length;
    }
    return count;
  }

  async #reap({ account, record, owner }: RecordedSession): Promise<void> {
    try {
      await this.#claim(account, record.sid, (now) => now === owner);
    } catch (error) {
      // one that cannot be read must not keep the others away
      if (!(error instanceof KeyspaceError) || error.failure !== 'damaged') throw error;
      this.#host.onFault(error);
    }
  }

  /** Resolves when the keyspace knows of all that are over. */
  async ended(): Promise<void> {
    await Promise.all(this.#ending.values());
  }

  /**
   * Has this node have a queue, since it can reach the other server: unless another one has it, and a stream for it.
   * Rejects with a KeyspaceError.
   */
  async attract(address: Jid): Promise<void> {
    const { sessions, nodes } = this.#host;
    const route = sessions.get(address);
    if (route === undefined) return await this.#come(address);
    if (!(route instanceof RemoteSession) || !route.detached || nodes === undefined) return;
    const { node, sessionId } = route;
    await nodes.confirmed();
    if (await nodes.release(node, sessionId)) await this.#claim(address.bare, sessionId, (owner) => owner === node);
  }

  /** Another node lets go of a queue. */
  async onOffered({ owner, sid, account, epoch }: Offer): Promise<void> {
    if (!isQueue(account) || this.#host.sessions.owned({ sessionId: sid }) !== undefined) return;
    await this.#claim(account, sid, (from, under) => from === owner && under >= epoch);
  }

  #take(session: QueueSession, stanza: Stanza): Awaitable<void> {
    const span = startSpan('xmpp.queue', 'producer');
    return span === undefined
      ? this.#owner.take(session, stanza)
      : span.around(() => this.#owner.take(session, stanza));
  }

  #forSessions(): SessionHost {
    const host = this.#host;
    const nothing = () => {};
    return {
      process: nothing,
      toSession: (stanza, session) => {
        const committed = this.#take(session as QueueSession, stanza);
        return committed instanceof Promise ? committed.then(() => true) : true;
      },
      errorFor: (_, error) => {
        host.onFault(error);
        return undefined;
      },
      onEnd: (session) => this.#onEnd(session as QueueSession),
      onDetach: (session) => host.nodes?.changed(session),
      onMoved: (session) => {
        host.sessions.remove(session);
        this.#owner.onEnd(session as QueueSession);
        host.nodes?.moved(session);
      },
      onChange: (session) => host.nodes?.changed(session),
      onLate: (stanza) => host.route(stanza),
      onReceived: () => 0,
      onSent: nothing,
      outputLimits: () => ({ maxBytes: Number.POSITIVE_INFINITY, maxStanzas: Number.POSITIVE_INFINITY }),
    };
  }

  /** It is over: mostly since nothing is left in it. */
  #onEnd(session: QueueSession): void {
    const key = session.jid.toString();
    this.#host.sessions.remove(session);
    this.#owner.onEnd(session);
    const ended = this.#end(session);
    const over = ended.then(
      () => {},
      (error) => this.#host.onFault(error),
    );
    const ending = over.then(() => {
      if (this.#ending.get(key) === ending) this.#ending.delete(key);
    });
    this.#ending.set(key, ending);
    void ended.then((left) => this.#reroute(session, left)).catch(() => {}); // that it failed is told
  }

  /** Resolves when the keyspace has it no more, with what is left of it. */
  async #end(session: QueueSession): Promise<readonly Sent[]> {
    const { store, nodes, again } = this.#host;
    const { account, jid, sessionId, backlog } = session;
    await backlog.journal.write(); // what was acknowledged must not go on
    const left = backlog.takeAll();
    await untilDone(() => store.end(account, jid.resource, sessionId, backlog.epoch), again);
    await nodes?.ended(session);
    return left;
  }

  /** What a queue has left behind goes the way that it would go if it came now. */
  async #reroute(session: QueueSession, left: readonly Sent[]): Promise<void> {
    const { store, again, route } = this.#host;
    const { jid, sessionId, backlog } = session;
    for (const { text } of left) await route(stanzaFromText(Buffer.from(text)));
    if (left.length > 0) await untilDone(() => store.keepWaiting(jid, sessionId, 0), again);
    backlog.departed();
  }

  async #onFenced(session: QueueSession): Promise<void> {
    const { store, again, nodes } = this.#host;
    if (nodes === undefined) {
      session.finish('it is gone from the keyspace');
      return;
    }
    session.moved('another node has it, or it is gone from the keyspace');
    const left = session.backlog.takeAll();
    await nodes.told(session.account, session.sessionId);
    if ((await untilDone(() => store.find(session.account, session.sessionId), again)) !== undefined) return;
    await nodes.ended(session);
    // whoever waits for something to be committed sends it anew
    await this.#reroute(
      session,
      left.filter(({ ready, origin }) => ready || origin === undefined),
    );
  }
}
