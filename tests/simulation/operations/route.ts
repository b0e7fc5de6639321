import { type AccountRecord, type SessionRecord, sessionOf } from '../account-record.ts';
import { evidence } from '../evidence.ts';
import { describeEntry, type StanzaEntry } from '../journal.ts';
import type { Origin } from '../origins.ts';
import type { Shard } from '../shard.ts';

export interface RouteRequest {
  readonly account: string;
  /** The version of the record on which the decision was made. */
  readonly version: number;
  readonly deliveries: readonly { readonly session: SessionRecord; readonly entry: StanzaEntry }[];
  /** What is stored or refused where there is no delivery. */
  readonly entry: StanzaEntry;
  readonly refuse: boolean;
}

/** The record comes with the reply where the decision was stale. */
export type RouteReply = 'committed' | 'refused' | { readonly stale: AccountRecord };

/** Carries out a decision about a stanza for an account, whole or not at all; a stanza is refused once and for all. */
export function route(shard: Shard, request: RouteRequest): RouteReply {
  const { account, version, deliveries, entry } = request;
  const { rules } = shard.world;
  const record = shard.record(account);
  if (rules.refusalsRemembered && entry.origin !== undefined && shard.refused(account).has(entry.origin))
    return 'refused';
  if (rules.versionedRoutes && record.version !== version) return { stale: record };
  if (deliveries.length === 0) return storeOrRefuse(shard, request);
  let committed = false;
  for (const { session: known, entry } of deliveries) {
    const session = sessionOf(record, known.sid);
    if (session === undefined || !shard.append(session, entry)) continue;
    committed = true;
    shard.world.ledger.committed(entry, entry.holders);
  }
  return committed ? 'committed' : { stale: record };
}

/** Where a stanza goes to no session, it is first looked for everywhere: a retry must not change what became of it. */
function storeOrRefuse(shard: Shard, { account, entry, refuse }: RouteRequest): RouteReply {
  const { rules, scenario } = shard.world;
  const { origin } = entry;
  if (origin !== undefined) {
    const known = rules.refusalsRemembered ? evidence(shard, account) : shard.ended(account);
    if ((rules.refusalsRemembered || !refuse) && known.has(origin)) return 'committed';
  }
  const offline = shard.offline(account);
  if (refuse || offline.length >= scenario.offlineLimit) {
    if (origin !== undefined) rememberRefusal(shard, account, origin);
    return 'refused';
  }
  shard.world.ledger.committed(entry, []);
  shard.world.trace?.(`offline of ${account} gets ${describeEntry(entry)}`);
  shard.keys.offline.set(account, [...offline, entry]);
  if (origin !== undefined) {
    const ended = shard.ended(account);
    ended.add(origin);
    shard.keys.ended.set(account, ended);
  }
  return 'committed';
}

/** After a failover: what was refused stays refused. */
export function refuseAgain(shard: Shard, { account, origin }: { account: string; origin: Origin }): void {
  rememberRefusal(shard, account, origin);
}

function rememberRefusal(shard: Shard, account: string, origin: Origin): void {
  const refused = shard.refused(account);
  refused.add(origin);
  shard.keys.refused.set(account, refused);
  const record = shard.record(account);
  if (!record.refusals) shard.keys.records.set(account, { ...record, refusals: true, version: record.version + 1 });
}
