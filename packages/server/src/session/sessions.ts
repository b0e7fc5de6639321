import type { Jid } from '@parley/xmpp/jid';
import type { Route, Session } from './session.ts';

const NONE: readonly Session[] = [];

/** The bound sessions of this node, by account. */
export class Sessions {
  readonly #byAccount = new Map<string, Session[]>();
  readonly #byId = new Map<string, Session>();

  get size(): number {
    return this.#byId.size;
  }

  get accounts(): number {
    return this.#byAccount.size;
  }

  /** All sessions of an account, the oldest first. */
  of(account: Jid): readonly Session[] {
    return this.#byAccount.get(account.bareText) ?? NONE;
  }

  /** The session with this full JID. */
  get(jid: Jid): Session | undefined {
    const sessions = this.#byAccount.get(jid.bareText);
    if (sessions === undefined) return undefined;
    for (const session of sessions) if (session.jid.resource === jid.resource) return session;
    return undefined;
  }

  /** The session that a route leads to, if it is still here. */
  owned(route: Route): Session | undefined {
    return this.#byId.get(route.sessionId);
  }

  add(session: Session): void {
    const key = session.account.bareText;
    // a new list each time: whoever iterates one is not disturbed
    this.#byAccount.set(key, [...(this.#byAccount.get(key) ?? NONE), session]);
    this.#byId.set(session.sessionId, session);
  }

  remove(session: Session): void {
    if (!this.#byId.delete(session.sessionId)) return;
    const key = session.account.bareText;
    const rest = (this.#byAccount.get(key) ?? NONE).filter((other) => other !== session);
    if (rest.length === 0) this.#byAccount.delete(key);
    else this.#byAccount.set(key, rest);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }
}
