import { type AccountRecord, type SessionRecord, sessionOf } from '../account-record.ts';
import { admit, originsOf } from '../admission.ts';
import { describeEntry, isLasting, type Journal, journalKey, type StanzaEntry } from '../journal.ts';
import type { OriginTable } from '../origins.ts';
import type { Rules } from '../rules.ts';
import type { Shard } from '../shard.ts';

/** The lasting entries that the client has not acknowledged, and the origins that the journal has had. */
function readEnd(
  { header, entries }: Journal,
  acked: number,
  rules: Rules,
): { pending: StanzaEntry[]; origins: OriginTable } {
  const origins = header.origins.copy();
  const pending: StanzaEntry[] = [];
  let index = header.base;
  for (const entry of entries) {
    index++;
    if (admit(origins, entry, rules) && index > Math.max(acked, header.acked) && isLasting(entry)) pending.push(entry);
  }
  return { pending, origins };
}

/**
 * Ends a session, within an operation: its entries and the knowledge of its origins go to where they are needed, in the
 * same instant. @returns what the text before this rule left to the caller
 */
export function conclude(
  shard: Shard,
  account: string,
  ended: SessionRecord,
  options: { readonly acked: number; readonly heir?: string },
): readonly StanzaEntry[] {
  const { rules } = shard.world;
  const before = shard.record(account);
  const record: AccountRecord = {
    ...before,
    version: before.version + 1,
    sessions: before.sessions.filter((session) => session.sid !== ended.sid),
  };
  shard.keys.records.set(account, record);
  const journal = shard.journal(ended);
  if (journal === undefined) return [];
  shard.keys.journals.delete(journalKey(ended.sid, ended.epoch));
  shard.keys.finals.set(ended.sid, journal.header.handled);
  shard.world.ledger.concluded(ended.sid);
  const { pending, origins } = readEnd(journal, options.acked, rules);
  shard.world.trace?.(
    `${ended.sid} ends, acked ${options.acked} ${journal.header.acked} base ${journal.header.base}: ${journal.entries.map(describeEntry).join(' | ')}; pending ${pending.map(({ eid }) => eid)}`,
  );
  remember(shard, account, record, origins, options.heir);
  if (options.heir === undefined && !rules.endMovesEntries) return pending;
  for (const entry of pending) {
    const others = entry.holders.filter((sid) => sid !== ended.sid && sid !== options.heir);
    if (rules.copiesKnowHolders && others.some((sid) => holds(shard, sessionOf(record, sid), entry))) continue;
    if (options.heir === undefined) move(shard, account, entry);
    else inherit(shard, account, entry, options.heir, true);
  }
  return [];
}

/** Whether a session really has, or has had, its copy: a failover may have taken it from one and not from the other. */
function holds(shard: Shard, session: SessionRecord | undefined, { origin }: StanzaEntry): boolean {
  const journal = session && shard.journal(session);
  if (journal === undefined || origin === undefined) return false;
  return !shard.world.rules.holdersProve || originsOf(journal, shard.world.rules).mayHaveOwn(origin);
}

/** Keeps what a session had, for the sessions that are there and for those that will be. */
function remember(
  shard: Shard,
  account: string,
  { sessions }: AccountRecord,
  origins: OriginTable,
  heir: string | undefined,
): void {
  const { rules } = shard.world;
  const known = shard.ended(account);
  known.absorb(origins);
  shard.keys.ended.set(account, known);
  if (!rules.learnAtEnd) return;
  const note = { eid: shard.world.newEid(), learned: origins };
  for (const session of sessions) {
    if (session.sid === heir) shard.write(session, note);
    else shard.append(session, note);
  }
}

const movedTo = (
  shard: Shard,
  entry: StanzaEntry,
  targets: readonly SessionRecord[],
  displaced = entry.displaced,
): StanzaEntry => ({
  ...entry,
  eid: shard.world.newEid(),
  moved: true,
  displaced,
  putBack: false,
  holders: targets.map(({ sid }) => sid),
});

/** Puts an accepted entry where it belongs now: to the available sessions, or to the offline messages. */
export function move(shard: Shard, account: string, entry: StanzaEntry): void {
  const { rules, scenario } = shard.world;
  const targets = shard.record(account).sessions.filter(({ available }) => available);
  const moved = movedTo(shard, entry, targets, true);
  for (const session of targets) shard.append(session, moved);
  if (targets.length > 0) return;
  const offline = shard.offline(account);
  if (rules.acceptedAlwaysFits || offline.length < scenario.offlineLimit) {
    shard.world.trace?.(`offline of ${account} gets ${describeEntry(moved)}`);
    shard.keys.offline.set(account, [...offline, moved]);
  }
}

/** Puts it into one journal, without a push: the operation gives the whole journal to the one who asked for it. */
export function inherit(
  shard: Shard,
  account: string,
  entry: StanzaEntry,
  heir: string,
  displaced = entry.displaced,
): void {
  const session = sessionOf(shard.record(account), heir);
  if (session !== undefined) shard.write(session, movedTo(shard, entry, [session], displaced));
}

/** Puts it into the journal of a session that is at work. */
export function hand(shard: Shard, entry: StanzaEntry, session: SessionRecord): void {
  shard.append(session, movedTo(shard, entry, [session]));
}
