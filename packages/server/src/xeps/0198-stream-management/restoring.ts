import { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { priorityOf } from '../../im/presence-priority.ts';
import type { ModuleContext } from '../../module.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import type { ResumableSession, ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { DetachedSessions } from './detached-sessions.ts';

export interface RestoringHost {
  readonly context: ModuleContext;
  readonly store: ResumptionStore;
  readonly host: ManagementHost;
  readonly detached: DetachedSessions;
}

/** The sessions that a predecessor of this process left: they wait for their clients as if only the stream were lost. */
export async function restoreSessions({ context, store, host, detached }: RestoringHost): Promise<void> {
  let count = 0;
  for await (const page of store.all()) {
    for (const found of page) {
      try {
        await restoreSession(found, { context, store, host, detached });
        count++;
      } catch (error) {
        // one that cannot be read must not keep the others away
        context.log.error('resumption.damaged', { account: found.account.toString(), error: error as Error });
      }
    }
  }
  if (count > 0) context.log.info('resumption.restored', { sessions: count });
}

async function restoreSession({ account, record }: ResumableSession, at: RestoringHost): Promise<void> {
  const kept = await at.store.read(account, record.sid);
  if (kept === undefined) return;
  const session = at.context.restoreSession(account.withResource(record.resource), record.sid);
  session.carbons = record.carbons;
  session.interested = record.interested;
  session.stream.mechanism = record.mechanism;
  if (record.presence !== undefined) {
    session.presence = stanzaFromText(Buffer.from(record.presence)) as Presence;
    session.priority = priorityOf(session.presence);
  }
  const management = new Management(session, at.host, record.maxSeconds, { epoch: record.epoch, header: kept.header });
  management.restore(kept.entries);
  session.management = management;
  at.detached.add(session);
  const { events } = at.context.hooks;
  events.emit('session.bound', session);
  events.emit(
    'session.restored',
    session,
    record.directed.map((text) => Jid.parse(text)),
  );
}
