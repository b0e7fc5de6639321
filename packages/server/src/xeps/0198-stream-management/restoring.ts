import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { ModuleContext } from '../../module.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import { priorityOf } from '../../session/presence-priority.ts';
import type { RecordedSession, ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';
import type { DetachedSessions } from './detached-sessions.ts';

export interface RestoringHost {
  readonly context: Pick<ModuleContext, 'log' | 'metrics' | 'hooks' | 'sessions' | 'restoreSession'>;
  readonly store: ResumptionStore;
  readonly host: ManagementHost;
  readonly detached: DetachedSessions;
  /** What is under way, by the id of the session. */
  readonly restoring: Map<string, Promise<Session | undefined>>;
}

/**
 * The sessions of nodes that are gone: those that can be resumed wait here for their clients as if only the stream were
 * lost, the others are over.
 */
export async function takeOverSessions(
  at: RestoringHost,
  isGone: (owner: string, sid: string) => boolean,
): Promise<void> {
  const { log, metrics } = at.context;
  let count = 0;
  const restore = async (found: RecordedSession) => {
    if (!isGone(found.owner, found.record.sid)) return;
    try {
      if (found.record.maxSeconds === 0) await end(found, at);
      else if ((await restoreSession(found.account, found.record.sid, at)) !== undefined) count++;
    } catch (error) {
      if (error instanceof KeyspaceError && error.failure !== 'damaged') throw error;
      // one that cannot be read must not keep the others away
      log.error('resumption.damaged', { account: found.account.toString(), error: error as Error });
    }
  };
  for await (const page of at.store.all()) await Promise.all(page.map(restore));
  metrics.clusterTakeovers.with({ how: 'reaped' }).add(count);
  if (count > 0) log.info('resumption.restored', { sessions: count });
}

/** Nobody else tells that it is over. Rather twice than never: what is recorded goes last. */
async function end({ account, record }: RecordedSession, { context, store }: RestoringHost): Promise<void> {
  const { resource, sid, epoch, presence } = record;
  const directed = record.directed.map((text) => Jid.parse(text));
  if (presence !== undefined || directed.length > 0) {
    await context.hooks.events.tell('session.lost', account.withResource(resource), directed);
  }
  await store.end(account, resource, sid, epoch);
}

/**
 * Takes a session over from whoever had it, and has it wait for its client; undefined where there is no such session. It is
 * one session here, however many want it at once: clients try again, and nodes die meanwhile.
 */
export function restoreSession(account: Jid, sid: string, at: RestoringHost): Promise<Session | undefined> {
  const here = at.context.sessions.owned({ sessionId: sid });
  if (here !== undefined) return Promise.resolve(here);
  let restoring = at.restoring.get(sid);
  if (restoring === undefined) {
    restoring = restore(account, sid, at).finally(() => at.restoring.delete(sid));
    at.restoring.set(sid, restoring);
  }
  return restoring;
}

async function restore(account: Jid, sid: string, at: RestoringHost): Promise<Session | undefined> {
  const kept = await at.store.claim(account, sid);
  if (kept === undefined || kept.record.maxSeconds === 0) return undefined;
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
  return session;
}
