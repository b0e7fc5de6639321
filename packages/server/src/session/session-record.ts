import type { ResumptionRecord } from './resumption/resumption-record.ts';
import type { Session } from './session.ts';

/** What is recorded of a session; `maxSeconds` is 0 where it cannot be resumed. */
export function recordOf(session: Session, epoch: number, maxSeconds: number): ResumptionRecord {
  const { presence, directed } = session;
  return {
    resource: session.jid.resource,
    sid: session.sessionId,
    epoch,
    maxSeconds,
    carbons: session.carbons,
    interested: session.interested,
    receiving: session.receivingSince !== Number.POSITIVE_INFINITY,
    inactive: false,
    presence: presence?.toString(),
    directed: [...(directed ?? [])].map(String),
    mechanism: session.stream.mechanism,
    boundAt: session.boundAt,
  };
}
