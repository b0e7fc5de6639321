import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin } from '@parley/xmpp/stanza';
import { Origins } from '../../session/origins.ts';
import type { ResumptionStore } from '../../session/resumption/resumption-store.ts';

/**
 * Whether a session of the account that other nodes have, or had before they were gone, has had a stanza of this origin, as
 * far as the keyspace knows; `own` tells it of one that this node has, since one may be on its way here. Rejects where the
 * keyspace is away.
 */
export async function hadElsewhere(
  store: Pick<ResumptionStore, 'list' | 'read'>,
  account: Jid,
  origin: Origin,
  own: (sid: string) => boolean | undefined,
): Promise<boolean> {
  for (const { record } of await store.list(account)) {
    if (record.maxSeconds === 0) continue;
    if (own(record.sid) ?? (await hasHad(store, account, record.sid, origin))) return true;
  }
  return false;
}

async function hasHad(
  store: Pick<ResumptionStore, 'read'>,
  account: Jid,
  sid: string,
  origin: Origin,
): Promise<boolean> {
  try {
    const kept = await store.read(account, sid);
    if (kept === undefined) return false;
    const origins = new Origins(kept.header.origins);
    for (const entry of kept.entries) if (entry.origin !== undefined) origins.add(entry.origin);
    return origins.has(origin);
  } catch (error) {
    if (error instanceof KeyspaceError && error.failure === 'damaged') return false; // rather twice than never
    throw error;
  }
}
