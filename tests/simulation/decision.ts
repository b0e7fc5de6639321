import type { AccountRecord, SessionRecord } from './account-record.ts';
import type { Message } from './stanza.ts';

/** Where a message goes, by what a node knows of the account. */
export interface Decision {
  readonly refuse: boolean;
  /** None and not refused: it is stored offline. */
  readonly targets: readonly SessionRecord[];
  /** Sessions that get a copy of a conversation that is not theirs (XEP-0280). */
  readonly carbons: readonly SessionRecord[];
}

/** RFC 6121 §8.5: a full JID is its session, if there is one; all else goes to every available session. */
export function decide(record: AccountRecord, { from, stream, resource }: Message): Decision {
  if (record.blocked.includes(from)) return { refuse: true, targets: [], carbons: [] };
  const addressed = record.sessions.filter((session) => session.resource === resource);
  if (addressed.length === 0) return { refuse: false, targets: record.sessions.filter(available), carbons: [] };
  const carbons = record.sessions.filter(
    (session) => session.carbons && !addressed.includes(session) && session.sid !== stream,
  );
  return { refuse: false, targets: addressed, carbons };
}

const available = (session: SessionRecord) => session.available;
