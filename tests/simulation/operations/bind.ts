import { DETACHED, type SessionRecord } from '../account-record.ts';
import { evidence } from '../evidence.ts';
import { emptyHeader, journalKey } from '../journal.ts';
import { OriginTable } from '../origins.ts';
import type { Shard } from '../shard.ts';
import { conclude } from './conclude.ts';
import { renameForChange } from './fence.ts';
import type { Owner, Ownership } from './takeover.ts';

/** Binds a resource. A session that had it ends, and what its client had not acknowledged goes to the new one. */
export function bind(
  shard: Shard,
  { account, resource, sid, owner }: { account: string; resource: string; sid: string; owner: Owner },
): Ownership | 'wait' {
  const { rules } = shard.world;
  if (rules.settleBeforeTakeover && !shard.settling.over) return 'wait';
  const before = shard.record(account);
  const session: SessionRecord = {
    sid,
    resource,
    epoch: 1,
    ...owner,
    lostBy: undefined,
    available: false,
    carbons: false,
    bound: before.version + 1,
  };
  const origins = new OriginTable(shard.world.originRules);
  origins.learn(rules.learnAtBind ? evidence(shard, account) : shard.ended(account));
  shard.keys.journals.set(journalKey(sid, 1), { header: emptyHeader(origins), entries: [] });
  shard.keys.records.set(account, { ...before, version: before.version + 1, sessions: [...before.sessions, session] });
  const replaced = before.sessions.find((other) => other.resource === resource);
  if (replaced !== undefined) {
    conclude(shard, account, replaced, { acked: 0, heir: sid });
    if (replaced.node !== DETACHED) {
      shard.publish(replaced.node, { kind: 'evict', sid: replaced.sid, epoch: replaced.epoch + 1 });
    }
  }
  // Plain commands are for accounts with a single session: whoever took this one for such an account must notice.
  if (before.sessions.length === 1 && replaced === undefined) renameForChange(shard, account, sid);
  const journal = shard.journal(session);
  if (journal === undefined) throw new Error('a session without a journal');
  return { session, journal, record: shard.record(account) };
}
