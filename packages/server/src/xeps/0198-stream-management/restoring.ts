import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { priorityOf } from '../../im/presence-priority.ts';
import type { ModuleContext } from '../../module.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import type { ResumableSession, ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { DetachedSessions } from './detached-sessions.ts';

export interface RestoringHost {
  readonly context: Pick<ModuleContext, 'log' | 'hooks' | 'restoreSession'>;
  readonly store: ResumptionStore;
  readonly host: ManagementHost;
  readonly detached: DetachedSessions;
}

/** The sessions that a predecessor of this process left: they wait for their clients as if only the stream were lost. */
export async function restoreSessions(at: RestoringHost): Promise<void> {
  const { log } = at.context;
  let count = 0;
  const restore = async (found: ResumableSession) => {
    try {
      if (await restoreSession(found, at)) count++;
    } catch (error) {
      if (error instanceof KeyspaceError && error.failure !== 'damaged') throw error;
      // one that cannot be read must not keep the others away
      log.error('resumption.damaged', { account: found.account.toString(), error: error as Error });
    }
  };
  for await (const page of at.store.all()) await Promise.all(page.map(restore));
  if (count > 0) log.info('resumption.restored', { sessions: count });
}

async function restoreSession({ account, record: { sid } }: ResumableSession, at: RestoringHost): Promise<boolean> {
  const kept = await at.store.claim(account, sid);
  if (kept === undefined) return false;
  const { record, header, entries } = kept;
  const { epoch, maxSeconds, resource } = record;
  const presence = record.presence === undefined ? undefined : stanzaFromText(Buffer.from(record.presence));
  const priority = presence === undefined ? 0 : priorityOf(presence);
  const directed = record.directed.map((text) => Jid.parse(text));

  // nothing can fail any more
  const session = at.context.restoreSession(account.withResource(resource), sid);
  session.carbons = record.carbons;
  session.interested = record.interested;
  session.stream.mechanism = record.mechanism;
  session.presence = presence as Presence | undefined;
  session.priority = priority;
  session.management = new Management(session, at.host, maxSeconds, { epoch, header, entries });
  const { events } = at.context.hooks;
  events.emit('session.bound', session);
  events.emit('session.restored', session, directed);
  at.detached.add(session);
  return true;
}
