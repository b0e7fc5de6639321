import { DETACHED, type SessionRecord, sessionOf } from '../account-record.ts';
import { describeEntry, type Entry, type Header, type Journal, journalKey } from '../journal.ts';
import type { Shard } from '../shard.ts';
import { conclude, inherit } from './conclude.ts';
import type { Ownership } from './takeover.ts';

export interface ReassertRequest {
  readonly account: string;
  /** The session as its owner knows it. */
  readonly session: SessionRecord;
  readonly header: Header;
  readonly entries: readonly Entry[];
}

/** After a failover the owner writes its session as it remembers it, with what the store has and it has not seen. */
export function reassert(shard: Shard, { account, session, header, entries }: ReassertRequest): Ownership | 'fenced' {
  const before = shard.record(account);
  shard.world.trace?.(
    `reassert ${session.sid} of ${session.node}: ${session.epoch} ${entries.map(describeEntry).join(' | ')} base ${header.base} acked ${header.acked}`,
  );
  const stored = sessionOf(before, session.sid);
  if (stored !== undefined && stored.epoch > session.epoch) return 'fenced';
  // It has ended, and whoever writes it now does not know.
  if (shard.keys.finals.has(session.sid)) return 'fenced';
  const rival = before.sessions.find(({ sid, resource }) => resource === session.resource && sid !== session.sid);
  if (rival !== undefined && rival.bound > session.bound) return 'fenced';

  const epoch = Math.max(session.epoch, stored?.epoch ?? 0) + 1;
  const journal = { header, entries: [...entries, ...unseen(stored && shard.journal(stored), header.base, entries)] };
  if (stored !== undefined) shard.keys.journals.delete(journalKey(stored.sid, stored.epoch));
  shard.keys.journals.set(journalKey(session.sid, epoch), journal);
  const mine = { ...session, epoch, lostBy: undefined };
  const others = before.sessions.filter(({ sid }) => sid !== session.sid);
  const version = Math.max(before.version, session.bound) + 1;
  shard.keys.records.set(account, { ...before, version, sessions: [...others, mine] });
  if (stored !== undefined && stored.node !== session.node) {
    shard.publish(stored.node, { kind: 'evict', sid: session.sid, epoch });
  }
  if (rival !== undefined) {
    conclude(shard, account, rival, { acked: 0, heir: session.sid });
    if (rival.node !== DETACHED) {
      shard.publish(rival.node, { kind: 'evict', sid: rival.sid, epoch: rival.epoch + 1 });
    }
  }
  if (session.available) {
    for (const entry of shard.offline(account)) inherit(shard, account, entry, session.sid);
    shard.keys.offline.delete(account);
  }
  return { session: mine, journal: shard.journal(mine) as Journal, record: shard.record(account) };
}

/** What the store has behind the entries that the owner knows, or has trimmed. */
function unseen(stored: Journal | undefined, base: number, known: readonly Entry[]): readonly Entry[] {
  if (stored === undefined) return [];
  const eids = new Set(known.map(({ eid }) => eid));
  return stored.entries.filter((entry, at) => stored.header.base + at + 1 > base && !eids.has(entry.eid));
}
