import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import { memberOf } from './index-member.ts';
import { encodeEntry, type JournalEntry } from './journal-entry.ts';
import { encodeHeader, type JournalHeader } from './journal-header.ts';
import { beforeOf, reassertSession, type SessionBefore } from './operations.ts';
import { indexOf, journalKeys, partitionOf, recordsOf } from './resumption-keys.ts';
import { boundAtOf, encodeRecord, epochOf, ownerOf, type ResumptionRecord } from './resumption-record.ts';

/** The epoch of a session that cannot be resumed, or not yet: it never has another owner. */
export const NOT_RESUMABLE = 0;

/** How often a record is read anew that has changed meanwhile. */
const ATTEMPTS = 20;

/** See `ResumptionStore.reassert`. */
export async function assertResumable(
  keyspace: Keyspace,
  owner: string,
  account: Jid,
  record: ResumptionRecord,
  header: JournalHeader,
  entries: readonly JournalEntry[],
  left: boolean,
): Promise<number | undefined> {
  const elements = [encodeHeader(header), ...entries.map(encodeEntry)];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await keyspace.hget(recordsOf(account), record.resource);
    if (seen !== undefined && isLater(seen, record)) return undefined;
    const stored = seen !== undefined && isOf(record, seen) ? epochOf(seen) : 0;
    if (seen !== undefined && stored > record.epoch && (left || ownerOf(seen) !== owner)) return undefined;
    const epoch = Math.max(record.epoch, stored) + 1;
    const epochs = [stored, record.epoch, epoch];
    if (await write(keyspace, owner, account, { ...record, epoch }, seen, epochs, elements)) return epoch;
  }
  throw changesAllTheTime(account);
}

/** See `ResumptionStore.assert`. */
export async function assertPlain(
  keyspace: Keyspace,
  owner: string,
  account: Jid,
  record: ResumptionRecord,
): Promise<{ before: SessionBefore | undefined } | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = await keyspace.hget(recordsOf(account), record.resource);
    if (seen !== undefined && isLater(seen, record)) return undefined;
    const known = seen !== undefined && isOf(record, seen);
    // from a moment ago on it can be resumed
    if (known && epochOf(seen) > NOT_RESUMABLE) return { before: undefined };
    if (await write(keyspace, owner, account, record, seen, [NOT_RESUMABLE, NOT_RESUMABLE, NOT_RESUMABLE], [])) {
      return { before: known || seen === undefined ? undefined : beforeOf(seen) };
    }
  }
  throw changesAllTheTime(account);
}

const isOf = ({ sid }: ResumptionRecord, seen: Buffer): boolean => seen.toString('hex', 1, 9) === sid;

/** Whether the resource was bound by another session later. A store that lost its newest writes may know an earlier one. */
function isLater(seen: Buffer, record: ResumptionRecord): boolean {
  if (isOf(record, seen)) return false;
  const boundAt = boundAtOf(seen);
  // of the same moment: whichever, as long as all decide the same
  return boundAt === record.boundAt ? seen.toString('hex', 1, 9) > record.sid : boundAt > record.boundAt;
}

/** False where the record is not as it was seen. */
function write(
  keyspace: Keyspace,
  owner: string,
  account: Jid,
  record: ResumptionRecord,
  seen: Buffer | undefined,
  epochs: readonly number[],
  elements: readonly Buffer[],
): Promise<boolean> {
  const { resource, sid } = record;
  const partition = partitionOf(account);
  const journals = epochs.map((epoch) => journalKeys.key(partition, sid, String(epoch)));
  const members = epochs.map((epoch) => memberOf(account, resource, sid, epoch));
  return keyspace.call(
    reassertSession,
    [recordsOf(account), ...journals, indexOf(account)],
    [resource, seen ?? '', encodeRecord(record, owner), ...members, ...elements],
  );
}

const changesAllTheTime = (account: Jid): KeyspaceError =>
  new KeyspaceError('damaged', `A session of ${account} has another owner all the time.`);
