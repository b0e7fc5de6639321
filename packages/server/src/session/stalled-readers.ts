import type { Session } from './session.ts';

interface Seen {
  sent: number;
  since: number;
}

/** Finds clients to which something waits to be written and that have read nothing of it for a set time. */
export class StalledReaders {
  readonly #seen = new Map<Session, Seen>();
  readonly #sessions: Iterable<Session>;

  constructor(sessions: Iterable<Session>) {
    this.#sessions = sessions;
  }

  /** Looks at all sessions; `now` and `stalledMs` in milliseconds of a clock that never goes back. */
  check(now: number, stalledMs: number): void {
    for (const session of this.#seen.keys()) if (!isWaiting(session)) this.#seen.delete(session);
    for (const session of this.#sessions) {
      if (!isWaiting(session)) continue;
      const { sent } = session.stream.transport;
      const seen = this.#seen.get(session);
      if (seen === undefined || seen.sent !== sent) this.#seen.set(session, { sent, since: now });
      else if (now - seen.since >= stalledMs) session.tooSlow('output-stalled');
    }
  }
}

const isWaiting = (session: Session): boolean =>
  !session.ended && !session.detached && session.stream.transport.blocked;
