import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { StanzaCondition } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import * as z from 'zod';
import { seconds } from '../../config/option.ts';
import { PresenceStates } from '../../im/presence-states.ts';
import { defineModule, type ModuleContext } from '../../module.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import {
  handledKeys,
  journalKeys,
  sessionIndexKeys,
  sessionKeys,
  waitingIndexKeys,
  waitingKeys,
} from '../../session/resumption/resumption-keys.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';
import type { Stream } from '../../stream/stream.ts';
import { Departures } from './departures.ts';
import { DetachedSessions } from './detached-sessions.ts';
import { restoreSessions } from './restoring.ts';
import { SessionIds } from './session-ids.ts';

const options = z.object({
  resumptionSeconds: seconds(300, {
    live: true,
    description: 'Time that a session waits for its client, where the client does not ask for another.',
  }),
  maxResumptionSeconds: seconds(3600, {
    live: true,
    max: 86_400,
    description: 'The longest time that a client may ask for.',
  }),
});

/** XEP-0198: acknowledgements, and sessions that outlive their connections and this process. */
export default defineModule({
  name: 'stream-management',
  description: 'Acknowledges stanzas and resumes sessions whose connection was lost (XEP-0198).',
  xeps: [{ number: 198, version: '1.6.3' }],
  options,
  keys: [sessionKeys, journalKeys, sessionIndexKeys, handledKeys, waitingKeys, waitingIndexKeys],
  async setup(context) {
    const { hooks, features, sessions, keyspace, config, log } = context;
    const store = new ResumptionStore({
      keyspace,
      onDamaged: (error) => log.error('resumption.damaged', { error }),
    });
    const ids = new SessionIds(context.secret('ids of sessions'));
    const host: ManagementHost = {
      store,
      limits: () => config().limits.unacknowledged,
      recordOf: (session, epoch, maxSeconds) => recordOf(context.use(PresenceStates), session, epoch, maxSeconds),
    };
    const detached = new DetachedSessions({
      sessionsOf: ({ account }) => sessions.of(account),
      most: () => config().limits.unacknowledged.detachedPerAccount,
      onLimit: ({ stream }) => stream.host.onLimit(stream, 'detached-sessions'),
    });
    const departures = new Departures(context, store);
    const sessionOf = ({ identity }: Stream, stream: Stream) =>
      identity && sessions.of(identity).find((own) => own.stream === stream && !own.detached);

    features.add({
      ns: NS.streamManagement,
      // §3: it is spoken of where a resource can be bound, or a session resumed
      advertise: ({ identity, bound }) =>
        identity === undefined || bound ? undefined : Element.of('sm', NS.streamManagement),
      handle(stream, element) {
        if (stream.identity === undefined) throw new StreamError('not-authorized', 'Authenticate first.');
        const session = sessionOf(stream, stream);
        switch (element.name) {
          case 'enable':
            return enable(stream, session, element, context, host, ids);
          case 'resume':
            return session === undefined ? resume(stream, element) : fail(stream, 'unexpected-request');
          case 'r':
            if (session?.management === undefined) return fail(stream, 'unexpected-request');
            return session.management.answer();
          case 'a':
            if (session?.management === undefined) return fail(stream, 'unexpected-request');
            return session.management.acknowledge(numberOf(element));
          default:
            throw new StreamError('unsupported-stanza-type');
        }
      },
    });

    const resume = async (stream: Stream, element: Element): Promise<void> => {
      const account = stream.identity as Jid;
      const id = element.attr('previd') ?? '';
      const h = numberOf(element);
      const sid = ids.read(account, id);
      const session = sessions.of(account).find((own) => own.sessionId === sid);
      if (sid === undefined || session?.management === undefined || !session.management.resumable) {
        // §5: how much of what it sent was handled helps a client whose session is gone
        const handled = sid === undefined ? undefined : await store.lastHandled(account, sid);
        return fail(stream, 'item-not-found', handled);
      }
      detached.remove(session);
      await session.management.resume(stream, h, id);
      log.info('session.resumed', { jid: session.jid.toString(), address: stream.transport.remoteAddress });
      hooks.events.emit('session.resumed', session);
    };

    hooks.events.on('session.detached', (session) => detached.add(session));
    hooks.events.on('session.unbound', (session) => {
      detached.remove(session);
      return departures.of(session);
    });
    context.onStop(() => detached.clear());
    context.onStart(async () => {
      await restoreSessions({ context, store, host, detached });
      await departures.finish();
    });
  },
});

/** §3 */
async function enable(
  stream: Stream,
  session: Session | undefined,
  element: Element,
  context: ModuleContext,
  host: ManagementHost,
  ids: SessionIds,
): Promise<void> {
  // before a resource is bound, or a second time
  if (session === undefined || session.management !== undefined) return fail(stream, 'unexpected-request');
  const wanted = /^(true|1)$/.test(element.attr('resume') ?? '') && stream.mechanism !== 'ANONYMOUS';
  const { resumptionSeconds, maxResumptionSeconds } = context.options() as unknown as z.infer<typeof options>;
  const asked = Number(element.attr('max') ?? resumptionSeconds);
  const most = wanted && asked > 0 ? Math.min(Math.ceil(asked), maxResumptionSeconds) : 0;
  const management = new Management(session, host, wanted && most === 0 ? resumptionSeconds : most);
  if (management.resumable) {
    const record = host.recordOf(session, management.epoch, management.maxSeconds);
    await host.store.open(session.account, record, { handled: 0, origins: new Map() });
    if (session.ended) return void host.store.end(session.account, session.jid.resource, session.sessionId, 1);
  }
  session.management = management;
  const resumable = management.resumable
    ? { id: ids.idOf(session.account, session.sessionId), resume: 'true', max: management.maxSeconds }
    : {};
  stream.sendElement(Element.of('enabled', NS.streamManagement, resumable));
}

/** The `h` of an element (§4). Throws a StreamError where it is no number of 32 bits. */
function numberOf(element: Element): number {
  const text = element.attr('h') ?? '';
  const h = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (h <= 0xffffffff) return h;
  throw new StreamError('bad-format', 'An h is a whole number of 32 bits.');
}

/** §6 */
function fail(stream: Stream, condition: StanzaCondition, h?: number): void {
  stream.sendElement(Element.of('failed', NS.streamManagement, { h }, Element.of(condition, NS.stanzas)));
}

function recordOf(states: PresenceStates, session: Session, epoch: number, maxSeconds: number) {
  return {
    resource: session.jid.resource,
    sid: session.sessionId,
    epoch,
    maxSeconds,
    carbons: session.carbons,
    interested: session.interested,
    inactive: false,
    presence: session.presence?.toString(),
    directed: session.presence === undefined ? [] : [...(states.of(session).directed ?? [])].map(String),
    mechanism: session.stream.mechanism,
  };
}
