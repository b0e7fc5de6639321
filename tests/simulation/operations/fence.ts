import { DETACHED } from '../account-record.ts';
import type { Shard } from '../shard.ts';

/**
 * Renames the journals of an account, so that whoever decided on an old copy of its record writes nowhere; the owners
 * are told, and read their sessions anew.
 */
export function renameForChange(shard: Shard, account: string, except?: string): void {
  if (!shard.world.rules.fenceOnChange) return;
  const record = shard.record(account);
  const sessions = record.sessions.map((session) => {
    if (session.sid === except) return session;
    const epoch = session.epoch + 1;
    shard.rename(session.sid, session.epoch, epoch);
    if (session.node !== DETACHED) shard.publish(session.node, { kind: 'renamed', sid: session.sid, epoch });
    return { ...session, epoch };
  });
  shard.keys.records.set(account, { ...record, sessions });
}
