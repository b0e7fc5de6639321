import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import type { Presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { ModuleContext } from '../../module.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import { priorityOf } from '../../session/presence-priority.ts';
import type { RecordedSession, ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';
import type { Departures } from './departures.ts';
import type { DetachedSessions } from './detached-sessions.ts';

export interface RestoringHost {
  readonly context: Pick<ModuleContext, 'log' | 'metrics' | 'hooks' | 'restoreSession' | 'sessions' | 'otherNodes'>;
  readonly store: ResumptionStore;
  readonly host: ManagementHost;
  readonly detached: DetachedSessions;
  /** Sessions that are being taken over, by id: its client may come several times, and what a dead node had is reaped. */
  readonly running: Map<string, Promise<Session | undefined>>;
  readonly departures: Departures;
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
  let anyOver = false;
  const forEach = async (work: (found: RecordedSession) => Promise<void>) => {
    for await (const page of at.store.all()) await Promise.all(page.map((found) => passingOver(found, work)));
  };
  const passingOver = async (found: RecordedSession, work: (found: RecordedSession) => Promise<void>) => {
    if (!isGone(found.owner, found.record.sid)) return;
    try {
      await work(found);
    } catch (error) {
      if (error instanceof KeyspaceError && error.failure !== 'damaged') throw error;
      // one that cannot be read must not keep the others away
      log.error('resumption.damaged', { account: found.account.toString(), error: error as Error });
    }
  };
  await forEach(async (found) => {
    const { account, record } = found;
    if (await at.departures.isOver(record.sid)) {
      await at.departures.forget(account, record.resource, record.sid, record.epoch);
    } else if (record.maxSeconds === 0) anyOver = true;
    else if (await restoreFrom(found, at)) count++;
  });
  // what contacts are told of the others may wait for one of those that had to be restored first
  if (anyOver) {
    await forEach(async (found) => {
      if (found.record.maxSeconds === 0) await end(found, at);
    });
  }
  metrics.clusterTakeovers.with({ how: 'reaped' }).add(count);
  if (count > 0) log.info('resumption.restored', { sessions: count });
}

/** Its client may have had another node fetch it meanwhile. */
async function restoreFrom(found: RecordedSession, at: RestoringHost): Promise<boolean> {
  const { account, record, owner } = found;
  await at.context.otherNodes?.told(account, record.sid);
  return (await restoreSession(account, record.sid, at, (now) => now === owner)) !== undefined;
}

/** Nobody else tells that it is over. Rather twice than never: what is recorded goes last. */
async function end({ account, record }: RecordedSession, { context, store }: RestoringHost): Promise<void> {
  const { resource, sid, epoch, presence } = record;
  const directed = record.directed.map((text) => Jid.parse(text));
  if (presence !== undefined || directed.length > 0) {
    await context.hooks.events.emit('session.lost', account.withResource(resource), directed);
  }
  await store.end(account, resource, sid, epoch);
}

/** Takes a session over from whoever had it, and has it wait for its client; undefined where there is no such session. */
export async function restoreSession(
  account: Jid,
  sid: string,
  at: RestoringHost,
  mayTakeFrom?: (owner: string, epoch: number) => boolean,
): Promise<Session | undefined> {
  for (;;) {
    const own = at.context.sessions.owned({ sessionId: sid });
    if (own !== undefined) return own;
    const before = at.running.get(sid);
    if (before === undefined) break;
    await before.catch(() => {}); // it may have been about another owner
  }
  const running = restore(account, sid, at, mayTakeFrom).finally(() => at.running.delete(sid));
  at.running.set(sid, running);
  return running;
}

async function restore(
  account: Jid,
  sid: string,
  at: RestoringHost,
  mayTakeFrom?: (owner: string, epoch: number) => boolean,
): Promise<Session | undefined> {
  await at.context.otherNodes?.confirmed();
  const kept = await at.store.claim(account, sid, mayTakeFrom);
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
  session.boundAt = record.boundAt;
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
