import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Events } from '../../events.ts';
import type { EventMap } from '../../hooks.ts';
import type { Log } from '../../log.ts';
import type { Session } from '../../session/session.ts';
import { clientIdOf, isByToken, kindOf } from './access-kind.ts';
import { type ClientAccess, revocation } from './client-access.ts';
import type { ClientRecord } from './client-record.ts';
import type { ClientStore } from './client-store.ts';
import type { RevokedGrants } from './revoked-grants.ts';

export interface ClientRecorderOptions {
  readonly clients: Pick<ClientAccess, 'isEnded'>;
  readonly store: ClientStore;
  readonly revoked: RevokedGrants;
  readonly events: Events<EventMap>;
  readonly log: Log;
}

/** Remembers which clients have logged in, and ends those whose access was taken away while they did. Nobody waits for it. */
export function recordClients({ clients, store, revoked, events, log }: ClientRecorderOptions): void {
  const record = async (session: Session): Promise<void> => {
    const { account, stream } = session;
    const { access, mechanism } = stream;
    const client = clientIdOf(access);
    if (client === undefined || mechanism === 'ANONYMOUS') return;
    if (clients.isEnded(account, stream, session.jid.resource)) return session.end(revocation());
    // who has shown a token of ours is noted already (XEP-0484), and mostly has the same resource again (XEP-0386)
    if (isByToken(mechanism) && access.resource === session.jid.resource) return;
    try {
      const kept = await store.change(account, client, (before) => seenNow(before, session));
      const { grant } = access;
      const isGone = !kept && isByToken(mechanism);
      if (isGone || (grant !== undefined && (await revoked.isRevoked(account, grant.client, grant.granted)))) {
        session.end(revocation());
        if (!isGone) await store.remove(account, client);
      }
    } catch (error) {
      if (!(error instanceof KeyspaceError)) throw error;
      log.flood('client.not-recorded', { account: account.toString(), message: error.message });
    }
  };
  events.on('session.bound', record);
  events.on('session.resumed', record);
}

/** Undefined where a client has shown a token that it has no more. */
function seenNow(before: ClientRecord | undefined, { stream, jid, ended }: Session): ClientRecord | undefined {
  const { access, mechanism } = stream;
  const { resource } = jid;
  const seen = Date.now();
  if (isByToken(mechanism)) return before && { ...before, seen, resource };
  if (ended) return before; // what has ended it may have taken away what was kept
  const kind = kindOf(stream);
  const { grant } = access;
  return {
    since: seen,
    ...before,
    seen,
    resource,
    mechanism,
    software: access.userAgent?.software,
    device: access.userAgent?.device,
    password: before?.password || kind === 'password',
    other: before?.other || kind === 'other',
    grant: grant === undefined ? before?.grant : { client: grant.client, restricted: grant.restricted },
  };
}
