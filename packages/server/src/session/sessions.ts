import type { Jid } from '@parley/xmpp/jid';
import type { Stream } from '../stream/stream.ts';
import { RemoteSession } from './remote-session.ts';
import { isQueue } from './resumption/resumption-keys.ts';
import type { Route, Session } from './session.ts';
import { withResource } from './with-resource.ts';

/** A bound resource, of this node or of another. */
export type BoundSession = Session | RemoteSession;

const NONE: readonly BoundSession[] = [];
const NONE_HERE: readonly Session[] = [];

/** The bound sessions: those of this node, and what is known of those of others. */
export class Sessions {
  readonly #byAccount = new Map<string, readonly BoundSession[]>();
  /** Those of this node alone. */
  readonly #byId = new Map<string, Session>();
  /** What goes from this node to other servers: nobody's resources. */
  readonly #queues = new Map<string, Session>();
  readonly #remote = new Map<string, RemoteSession>();
  #queuesElsewhere = 0;

  /** How many sessions the clients of this node have. */
  get size(): number {
    return this.#byId.size;
  }

  /** How many accounts have sessions here. */
  get accounts(): number {
    return new Set(this.#byId.values().map(({ account }) => account.bareText)).size;
  }

  /** All sessions of an account, wherever they are, those that are known longest first. */
  of(account: Jid): readonly BoundSession[] {
    return this.#byAccount.get(account.bareText) ?? NONE;
  }

  /** The accounts of a domain that have sessions, wherever they are. */
  *accountsOf(domain: string): Generator<Jid, void, undefined> {
    for (const [session] of this.#byAccount.values()) if (session?.account.domain === domain) yield session.account;
  }

  /** The sessions of an account that this node has. */
  here(account: Jid): readonly Session[] {
    const sessions = this.of(account);
    if (sessions.length === 0) return NONE_HERE;
    return sessions.filter((session): session is Session => !(session instanceof RemoteSession));
  }

  /** The session that a stream has; undefined where it has none, or had one that is resumed elsewhere. */
  on(stream: Stream): Session | undefined {
    if (stream.identity === undefined) return undefined;
    for (const own of this.of(stream.identity)) {
      if (!(own instanceof RemoteSession) && own.stream === stream && !own.detached) return own;
    }
    return undefined;
  }

  /**
   * Whether this session of an account may be resumed, here or elsewhere: also where its connection seems to be there, since
   * nobody may have noticed yet that it, or its node, is gone.
   */
  canResume(account: Jid, sid: string): boolean {
    const session = this.of(account).find(({ sessionId }) => sessionId === sid);
    return session instanceof RemoteSession ? session.resumable : session?.management?.resumable === true;
  }

  /** The session with this full JID. */
  get(jid: Jid): BoundSession | undefined {
    const sessions = this.#byAccount.get(jid.bareText);
    return sessions && withResource(sessions, jid.resource);
  }

  /** The session of this node that a route leads to, if it is still here. */
  owned({ sessionId }: Pick<Route, 'sessionId'>): Session | undefined {
    return this.#byId.get(sessionId) ?? this.#queues.get(sessionId);
  }

  /** What is known of a session of another node. */
  remote(sessionId: string): RemoteSession | undefined {
    return this.#remote.get(sessionId);
  }

  /** How many sessions of clients of other nodes are known. */
  get elsewhere(): number {
    return this.#remote.size - this.#queuesElsewhere;
  }

  get allRemote(): IterableIterator<RemoteSession> {
    return this.#remote.values();
  }

  add(session: Session): void {
    const known = this.#remote.get(session.sessionId);
    if (known !== undefined) this.removeRemote(known);
    this.#append(session);
    this.#ownersOf(session).set(session.sessionId, session);
  }

  remove(session: Session): void {
    // it may have come back as another one
    const owners = this.#ownersOf(session);
    if (owners.get(session.sessionId) === session) owners.delete(session.sessionId);
    this.#takeOut(session);
  }

  #ownersOf({ account }: Session): Map<string, Session> {
    return isQueue(account) ? this.#queues : this.#byId;
  }

  /** Takes the place of what was known of this session before. */
  putRemote(session: RemoteSession): void {
    const known = this.#remote.get(session.sessionId);
    this.#remote.set(session.sessionId, session);
    if (known === undefined) {
      this.#append(session);
      if (isQueue(session.account)) this.#queuesElsewhere++;
      return;
    }
    this.#byAccount.set(
      session.account.bareText,
      this.of(session.account).map((other) => (other === known ? session : other)),
    );
  }

  removeRemote(session: RemoteSession): void {
    if (this.#remote.get(session.sessionId) !== session) return;
    this.#remote.delete(session.sessionId);
    if (isQueue(session.account)) this.#queuesElsewhere--;
    this.#takeOut(session);
  }

  // a new list each time: whoever iterates one is not disturbed
  #append(session: BoundSession): void {
    this.#byAccount.set(session.account.bareText, [...this.of(session.account), session]);
  }

  #takeOut(session: BoundSession): void {
    const rest = this.of(session.account).filter((other) => other !== session);
    if (rest.length === 0) this.#byAccount.delete(session.account.bareText);
    else this.#byAccount.set(session.account.bareText, rest);
  }

  /** All that this node owns, be it a client's or what goes to another server. */
  get all(): Iterable<Session> {
    return [...this.#byId.values(), ...this.#queues.values()];
  }

  /** Those of this node's clients. */
  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }
}
