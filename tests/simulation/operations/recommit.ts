import { type AccountRecord, type SessionRecord, sessionOf } from '../account-record.ts';
import { admit, originsOf } from '../admission.ts';
import { evidence } from '../evidence.ts';
import { isNote, type StanzaEntry } from '../journal.ts';
import type { Origin } from '../origins.ts';
import type { Shard } from '../shard.ts';
import { move } from './conclude.ts';

export interface RecommitRequest {
  readonly account: string;
  /** The stanza; undefined where only copies were committed. */
  readonly stanza: StanzaEntry | undefined;
  /** The sessions that it was committed to; none: it was stored offline. */
  readonly holders: readonly string[];
  /** The one that its full JID names; the others got it because they were available. */
  readonly addressed: string | undefined;
  readonly carbon: StanzaEntry | undefined;
  readonly carbonHolders: readonly string[];
  /** Whether it is certain that it had been committed. */
  readonly certain: boolean;
}

/** Unknown: nothing shows that it had been committed, and the decision has to be made anew. */
export type RecommitReply = 'committed' | 'refused' | 'unknown';

/** After a failover: commits once more what may have been lost, to those who had it. */
export function recommit(shard: Shard, request: RecommitRequest): RecommitReply {
  const { account, stanza, carbon, certain } = request;
  const origin = (stanza ?? carbon)?.origin;
  const record = shard.record(account);
  if (origin !== undefined && shard.refused(account).has(origin)) return 'refused';
  if (!certain && (origin === undefined || !evidence(shard, account).hasOwn(origin))) return 'unknown';
  if (carbon !== undefined) putBack(shard, carbon, bound(record, request.carbonHolders));
  if (stanza === undefined) return 'committed';
  const holders = bound(record, knownHolders(shard, record, stanza) ?? request.holders);
  const here = holders.filter(({ sid, available }) => available || sid === request.addressed);
  putBack(shard, stanza, here);
  if (here.length === 0 && !holders.some((session) => hasHad(shard, session, stanza))) restore(shard, account, stanza);
  return 'committed';
}

const bound = (record: AccountRecord, sids: readonly string[]) => sids.flatMap((sid) => sessionOf(record, sid) ?? []);

function putBack(shard: Shard, entry: StanzaEntry, sessions: readonly SessionRecord[]): void {
  const eid = shard.world.newEid();
  for (const session of sessions) shard.write(session, { ...entry, eid, putBack: true });
}

function hasHad(shard: Shard, session: SessionRecord, { origin }: StanzaEntry): boolean {
  const journal = shard.journal(session);
  return journal !== undefined && origin !== undefined && originsOf(journal, shard.world.rules).hasOwn(origin);
}

/** What only ended sessions had, or the offline messages, goes where their entries would have gone. */
function restore(shard: Shard, account: string, stanza: StanzaEntry): void {
  const { origin } = stanza;
  if (origin !== undefined) {
    const ended = shard.ended(account);
    if (ended.hasOwn(origin)) return;
    ended.add(origin);
    shard.keys.ended.set(account, ended);
  }
  move(shard, account, stanza);
}

/** A copy that is still there tells who got it the first time; what this node did may have been a retry. */
function knownHolders(
  shard: Shard,
  { sessions }: AccountRecord,
  { origin }: StanzaEntry,
): readonly string[] | undefined {
  if (origin === undefined || !shard.world.rules.copiesTellHolders) return undefined;
  for (const session of sessions) {
    const journal = shard.journal(session);
    const origins = journal?.header.origins.copy();
    for (const entry of journal?.entries ?? []) {
      const admitted = origins !== undefined && admit(origins, entry, shard.world.rules);
      if (admitted && !isNote(entry) && sameOrigin(entry.origin, origin)) return entry.holders;
    }
  }
  return undefined;
}

const sameOrigin = (a: Origin | undefined, b: Origin) =>
  a !== undefined && a.stream === b.stream && a.k === b.k && a.effect === b.effect;
