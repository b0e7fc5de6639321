import type { Session } from '../../session/session.ts';

export interface DetachedHost {
  sessionsOf(session: Session): readonly Session[];
  /** Sessions of one account that may wait. */
  most(): number;
  onLimit(session: Session): void;
}

/** Sessions that wait for their clients, each for its time. */
export class DetachedSessions {
  readonly #timers = new Map<Session, NodeJS.Timeout>();
  readonly #host: DetachedHost;

  constructor(host: DetachedHost) {
    this.#host = host;
  }

  add(session: Session): void {
    this.remove(session);
    const seconds = session.management?.maxSeconds ?? 0;
    this.#timers.set(
      session,
      setTimeout(() => session.finish('its client did not come back'), seconds * 1000),
    );
    const waiting = this.#host.sessionsOf(session).filter((other) => this.#timers.has(other));
    if (waiting.length <= this.#host.most()) return;
    const oldest = [...this.#timers.keys()].find((other) => waiting.includes(other));
    this.#host.onLimit(session);
    oldest?.finish('too many sessions of the account wait for their clients');
  }

  remove(session: Session): void {
    clearTimeout(this.#timers.get(session));
    this.#timers.delete(session);
  }

  /** The node stops: its successor restores them. */
  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
