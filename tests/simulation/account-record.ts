/** A bound session, as its account's record has it: where it is and which key its journal has. */
export interface SessionRecord {
  readonly sid: string;
  readonly resource: string;
  readonly epoch: number;
  /** Incarnation of the owning node, or '-' while the session is detached. */
  readonly node: string;
  /** Which ownership of that node it is: a session that went elsewhere and came back is another one. */
  readonly handle: number;
  /** The incarnation whose lease had run out when the session was detached; it may reclaim the session. */
  readonly lostBy: string | undefined;
  readonly available: boolean;
  readonly carbons: boolean;
  /** The account's version when it was bound: of two sessions with one resource the later one holds. */
  readonly bound: number;
}

/** What a node needs to decide where a stanza for the account goes. Nodes keep copies of it. */
export interface AccountRecord {
  /** Raised by everything that changes a decision; a takeover changes none. */
  readonly version: number;
  readonly sessions: readonly SessionRecord[];
  readonly blocked: readonly string[];
  /** Whether stanzas were refused that may be sent again: then only the operation route knows what became of them. */
  readonly refusals: boolean;
}

export const DETACHED = '-';

export const sessionOf = (record: AccountRecord, sid: string) => record.sessions.find((session) => session.sid === sid);

export function withSession(record: AccountRecord, sid: string, change: Partial<SessionRecord>): AccountRecord {
  const sessions = record.sessions.map((session) => (session.sid === sid ? { ...session, ...change } : session));
  return { ...record, sessions };
}
