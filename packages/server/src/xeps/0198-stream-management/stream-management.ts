import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import * as z from 'zod';
import { seconds } from '../../config/option.ts';
import { defineModule } from '../../module.ts';
import { nextAttempt, whenUpFor } from '../../session/attempts.ts';
import { readHandled } from '../../session/handled-number.ts';
import type { Management, ManagementHost } from '../../session/management.ts';
import { decodeOffer, OFFERED } from '../../session/offer.ts';
import { SOUGHT } from '../../session/other-nodes.ts';
import {
  handledKeys,
  isQueue,
  journalCountKeys,
  journalKeys,
  sessionIndexKeys,
  sessionKeys,
  waitingIndexKeys,
  waitingKeys,
} from '../../session/resumption/resumption-keys.ts';
import { ResumptionIds } from '../../session/resumption-ids.ts';
import { Admission } from '../../stream/admission.ts';
import { Arrivals } from './arrivals.ts';
import { Departures } from './departures.ts';
import { DetachedSessions } from './detached-sessions.ts';
import { failed, Negotiation } from './negotiation.ts';
import { Recipients } from './recipients.ts';
import { restoreSession, takeOverSessions } from './restoring.ts';

/** A host, or a host and a port (RFC 6120 §4.9.3.19); or nothing. */
function isLocation(text: string): boolean {
  if (text === '') return true;
  const [, ipv6, name = '', port = '1'] = /^(?:\[([^\]]*)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  return (
    (ipv6 === undefined ? name !== '' : z.ipv6().safeParse(ipv6).success) && Number(port) >= 1 && Number(port) <= 65_535
  );
}

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
  location: z
    .string()
    .max(1023)
    .refine(isLocation, 'is no address: write host:port, or the host alone; IPv6 as [::1]:5222')
    .default('')
    .meta({
      live: true,
      description:
        'Where clients should come back to when they lose their connection: the address of this very node, as `host:port`. Empty, as it should be behind a load balancer: anywhere, since any node resumes the session.',
    }),
});

/** XEP-0198: acknowledgements, and sessions that outlive their connections and this process. */
export default defineModule({
  name: 'stream-management',
  description: 'Acknowledges stanzas and resumes sessions whose connection was lost (XEP-0198).',
  xeps: [{ number: 198, version: '1.6.3' }],
  options,
  keys: [sessionKeys, journalKeys, sessionIndexKeys, handledKeys, waitingKeys, waitingIndexKeys, journalCountKeys],
  moves: [{ keys: sessionKeys, stays: true }], // it is logged out
  async setup(context) {
    const { hooks, features, sessions, keyspace, config, log, sessionStore: store, otherNodes } = context;
    const again = () => nextAttempt(keyspace);
    const given = () => context.options() as unknown as z.infer<typeof options>;
    const host: ManagementHost = {
      store,
      limits: () => config().limits.unacknowledged,
      again,
      upFor: (milliseconds, done) => whenUpFor(keyspace, milliseconds, done),
      isUndisputed: (session, epoch) => otherNodes?.isUndisputed(session, epoch) ?? Promise.resolve(true),
      onFenced(session) {
        const reason = 'it is gone from the keyspace, or another node has taken it over';
        if (otherNodes === undefined) return session.giveUp(reason);
        session.moved(reason);
        context.hooks.pending.add(departures.ofFenced(session).catch(host.onFault));
      },
      onDrained: (session) => hooks.events.emit('session.drained', session),
      onFault(error) {
        if (error instanceof KeyspaceError && error.failure === 'closed') return; // the node stops
        context.metrics.errors.add(1);
        log.error('resumption.fault', { error: error as Error });
      },
    };
    const detached = new DetachedSessions({
      sessionsOf: ({ account }) => sessions.here(account),
      most: () => config().limits.unacknowledged.detachedPerAccount,
      onLimit: ({ stream }) => stream.host.onLimit(stream, 'detached-sessions'),
    });
    for (const change of ['entered', 'delivered', 'moved', 'bounced'] as const) {
      context.metrics.journalEntries.with({ change }).observe(() => store.tally[change]);
    }
    context.metrics.sessionsDetached.observe(() => detached.size);
    const recipients = new Recipients(sessions, otherNodes, again);
    const departures = new Departures({
      router: context.router,
      store,
      isHadByOthers: (stanza, account, at) => recipients.have(stanza, account, at),
      again,
      told: (account, sid) => otherNodes?.told(account, sid),
      // others still count on it, since whoever takes a session over tells of it
      onOver: (session) => void otherNodes?.ended(session),
      onUnreadable: (error) => log.error('resumption.unreadable', { error: error as Error }),
    });
    const restoring = { context, store, host, detached, departures, running: new Map() };
    const admission = context.use(Admission);
    const arrivals =
      otherNodes &&
      new Arrivals({
        otherNodes,
        metrics: context.metrics,
        store,
        own: (sid) => sessions.owned({ sessionId: sid }),
        restore: (account, sid, mayTakeFrom) => restoreSession(account, sid, restoring, mayTakeFrom),
      });
    context.peers.on(OFFERED, (text) => {
      const offer = decodeOffer(text);
      return isQueue(offer.account) ? undefined : arrivals?.onOffered(offer);
    });
    context.peers.on(SOUGHT, (text) => {
      const [bare = '', sid = ''] = text.split(' ');
      return sid === '' ? undefined : departures.sought(Jid.parse(bare), sid);
    });
    const ids = new ResumptionIds(context.secret('ids of sessions'));
    const negotiation = new Negotiation({
      context,
      management: host,
      ids,
      departures,
      turn: (stream) => admission.resumption(stream),
      arrivals,
      times: given,
      location: () => given().location || undefined,
    });

    const feature = Element.of('sm', NS.streamManagement);
    features.add({
      ns: NS.streamManagement,
      // §3: it is spoken of where a resource can be bound, or a session resumed; after a login that has bound one, too
      advertise: (stream) =>
        stream.identity === undefined || sessions.on(stream)?.management !== undefined ? undefined : feature,
      handle(stream, element) {
        const session = sessions.on(stream);
        const tell = (answer: Element) => stream.sendElement(answer);
        switch (element.name) {
          case 'enable':
            return negotiation.enable(stream, session, element, tell);
          case 'resume':
            if (session !== undefined) return tell(failed('unexpected-request'));
            return negotiation.resume(stream, element, tell).then(() => undefined);
          case 'r':
            if (session?.management === undefined) return tell(failed('unexpected-request'));
            return session.management.answer();
          case 'a':
            if (session?.management === undefined) return tell(failed('unexpected-request'));
            return acknowledge(session.management, element);
          default:
            throw new StreamError('unsupported-stanza-type');
        }
      },
      // "Inline Stream Resumption"
      inSasl2: {
        advertise: () => feature,
        returns(account, request) {
          const id = request.child('resume', NS.streamManagement)?.attr('previd') ?? '';
          const sid = ids.read(account.bareText, id);
          return sid !== undefined && sessions.canResume(account, sid);
        },
        async handle(login) {
          const request = login.request.child('resume', NS.streamManagement);
          const told: Element[] = [];
          if (request === undefined) return told;
          const session = await negotiation.resume(login.stream, request, (answer) => told.push(answer));
          if (session !== undefined) login.session = { jid: session.jid, resumed: true };
          return told;
        },
      },
      // "Enable Stream Management Inline"
      async inBind2({ stream }, request) {
        const told: Element[] = [];
        if (request.name !== 'enable') return told;
        await negotiation.enable(stream, sessions.on(stream), request, (answer) => told.push(answer));
        return told;
      },
    });

    hooks.events.on('session.wanted', (sid) => departures.done(sid));
    hooks.events.on('keyspace.changed', () => departures.storeChanged());
    hooks.events.on('session.detached', (session) => {
      detached.add(session);
      return session.management?.settled(); // a node that stops waits for it
    });
    hooks.events.on('session.resumed', (session) => detached.remove(session));
    hooks.events.on('session.moved', (session) => detached.remove(session));
    hooks.events.on('session.unbound', (session) => {
      detached.remove(session);
      return departures.of(session);
    });
    context.onStop(() => detached.clear());
    context.onReap(async (isGone) => {
      await takeOverSessions(restoring, isGone);
      await departures.finish(isGone);
    });
  },
});

/** §4 */
function acknowledge(management: Management, element: Element): void {
  const h = readHandled(element);
  if (h === undefined) throw new StreamError('bad-format', 'An h is a whole number of 32 bits.');
  management.acknowledge(h);
}
