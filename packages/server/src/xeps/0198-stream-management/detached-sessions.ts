import type { Session } from '../../session/session.ts';

export interface DetachedHost {
  sessionsOf(session: Session): readonly Session[];
  /** Sessions of one account that may wait. */
  most(): number;
  onLimit(session: Session): void;
}

interface Wait {
  readonly timer: NodeJS.Timeout;
  /** Counts up: who waits longer has a lower one. */
  readonly order: number;
}

/** Sessions that wait for their clients, each for its time. */
export class DetachedSessions {
  readonly #waits = new Map<Session, Wait>();
  readonly #host: DetachedHost;
  #count = 0;

  constructor(host: DetachedHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#waits.size;
  }

  add(session: Session): void {
    this.remove(session);
    const { maxSeconds = 0 } = session.management ?? {};
    const timer = setTimeout(() => session.finish('its client did not come back'), maxSeconds * 1000);
    this.#waits.set(session, { timer, order: this.#count++ });
    const waiting = this.#host.sessionsOf(session).filter((other) => this.#waits.has(other));
    if (waiting.length <= this.#host.most()) return;
    this.#host.onLimit(session);
    const order = (other: Session) => this.#waits.get(other)?.order ?? 0;
    const oldest = waiting.reduce((first, other) => (order(other) < order(first) ? other : first));
    oldest.finish('too many sessions of the account wait for their clients');
  }

  remove(session: Session): void {
    clearTimeout(this.#waits.get(session)?.timer);
    this.#waits.delete(session);
  }

  /** The node stops: its successor restores them. */
  clear(): void {
    for (const { timer } of this.#waits.values()) clearTimeout(timer);
    this.#waits.clear();
  }
}
