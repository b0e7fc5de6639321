import { type AccountRecord, sessionOf, withSession } from '../account-record.ts';
import type { StanzaEntry } from '../journal.ts';
import type { Shard } from '../shard.ts';
import type { Change } from '../stanza.ts';
import { renameForChange } from './fence.ts';

export interface ChangeRequest {
  readonly account: string;
  readonly sid: string;
  readonly epoch: number;
  readonly change: Change;
  /** Told to every session of the account. */
  readonly push: StanzaEntry | undefined;
  readonly answer: StanzaEntry;
}

/** A client changes something of its account: the change, the pushes and the answer are one operation. */
export function change(shard: Shard, request: ChangeRequest): 'done' | 'fenced' {
  if (sessionOf(shard.record(request.account), request.sid)?.epoch !== request.epoch) return 'fenced';
  carryOut(shard, request);
  shard.world.ledger.carriedOut(request.answer);
  return 'done';
}

/** After a failover: whoever has the session now, the change is made once more. */
export function changeAgain(shard: Shard, request: ChangeRequest): 'committed' {
  carryOut(shard, request);
  return 'committed';
}

function carryOut(shard: Shard, { account, sid, change: wanted, push, answer: entry }: ChangeRequest): void {
  const before = shard.record(account);
  const changed = changedRecord(before, sid, wanted);
  if (changed !== before) {
    shard.keys.records.set(account, { ...changed, version: before.version + 1 });
    renameForChange(shard, account);
  }
  if (push !== undefined) for (const session of shard.record(account).sessions) shard.append(session, push);
  const asking = sessionOf(shard.record(account), sid);
  if (asking !== undefined) shard.append(asking, entry);
}

function changedRecord(record: AccountRecord, sid: string, wanted: Change): AccountRecord {
  switch (wanted.what) {
    case 'block':
      return record.blocked.includes(wanted.whom) ? record : { ...record, blocked: [...record.blocked, wanted.whom] };
    case 'unblock':
      return { ...record, blocked: record.blocked.filter((whom) => whom !== wanted.whom) };
    case 'carbons':
      return withSession(record, sid, { carbons: true });
    case 'roster':
      return record;
  }
}

/** The error that a stanza is answered with, for the client that sent it. */
export function answer(
  shard: Shard,
  { account, sid, epoch, entry }: { account: string; sid: string; epoch: number; entry: StanzaEntry },
): 'done' | 'fenced' {
  const session = sessionOf(shard.record(account), sid);
  if (session === undefined) return 'fenced';
  if (session.epoch !== epoch && shard.world.rules.answerUnderOwnEpoch) return 'fenced';
  shard.append(session, entry);
  shard.world.ledger.refused(entry);
  return 'done';
}

/** After a failover: the error goes to its session, whoever has it now. */
export function answerAgain(
  shard: Shard,
  { account, sid, entry }: { account: string; sid: string; entry: StanzaEntry },
): 'committed' {
  const session = sessionOf(shard.record(account), sid);
  if (session !== undefined) shard.append(session, entry);
  return 'committed';
}
