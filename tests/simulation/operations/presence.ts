import { sessionOf, withSession } from '../account-record.ts';
import { evidence } from '../evidence.ts';
import type { Shard } from '../shard.ts';
import { hand } from './conclude.ts';
import { renameForChange } from './fence.ts';

interface PresenceRequest {
  readonly account: string;
  readonly sid: string;
  readonly epoch: number;
}

/**
 * A session becomes available: from now on it gets what is for the bare JID, and first what has waited for the account.
 */
export function becomeAvailable(shard: Shard, { account, sid, epoch }: PresenceRequest): 'done' | 'fenced' {
  const { rules } = shard.world;
  const record = shard.record(account);
  const session = sessionOf(record, sid);
  if (session?.epoch !== epoch) return 'fenced';
  if (session.available) return 'done';
  if (rules.learnAtAvailable) shard.append(session, { eid: shard.world.newEid(), learned: evidence(shard, account) });
  const version = record.version + 1;
  shard.keys.records.set(account, { ...withSession(record, sid, { available: true }), version });
  if (rules.takeOfflineWithPresence) takeOffline(shard, { account, sid, epoch });
  return 'done';
}

/** Moves the offline messages to a session that is available. */
export function takeOffline(shard: Shard, { account, sid, epoch }: PresenceRequest): 'done' | 'fenced' {
  const session = sessionOf(shard.record(account), sid);
  if (session?.epoch !== epoch) return 'fenced';
  const waiting = shard.offline(account);
  shard.keys.offline.delete(account);
  for (const entry of waiting) hand(shard, entry, session);
  return 'done';
}

export function becomeUnavailable(shard: Shard, { account, sid, epoch }: PresenceRequest): 'done' | 'fenced' {
  const record = shard.record(account);
  const session = sessionOf(record, sid);
  if (session?.epoch !== epoch) return 'fenced';
  if (!session.available) return 'done';
  const version = record.version + 1;
  shard.keys.records.set(account, { ...withSession(record, sid, { available: false }), version });
  // Whoever took this for the account's only session, and for an available one, must notice.
  if (record.sessions.length === 1) renameForChange(shard, account);
  return 'done';
}
