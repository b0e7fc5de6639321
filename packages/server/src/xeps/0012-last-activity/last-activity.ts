import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { maySeePresence } from '../../im/presence-permission.ts';
import { RosterStore } from '../../im/roster-store.ts';
import type { IqHandler } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import type { Session } from '../../session/session.ts';
import { ActivityStore, activityKeys, keptStatus } from './activity-store.ts';

/** XEP-0012: since when somebody is away, for those who may see their presence; since when the server runs, for all. */
export default defineModule({
  name: 'last-activity',
  description: 'Tells contacts since when somebody is away (XEP-0012).',
  xeps: [
    { number: 12, version: '2.0', note: 'Strangers get `service-unavailable`, as for an account that does not exist.' },
  ],
  features: [NS.last],
  accountFeatures: [NS.last],
  keys: [activityKeys],
  setup(context) {
    const { accounts, hooks, iq, keyspace, log, sessions } = context;
    const rosters = context.use(RosterStore);
    const store = new ActivityStore(keyspace);
    const farewells = new WeakMap<Session, string>();

    // §3 and §4 have `forbidden`, which nobody gets of an account that does not exist (RFC 6121 §8.5.1): it would tell them apart
    const requirePermission = async (account: Jid, asker: Jid) => {
      if (!(await maySeePresence(rosters, account, asker))) throw new StanzaError('service-unavailable');
    };

    // §5
    iq.get(NS.last, 'query', () => lastElement(process.uptime()), { at: ['domain'], allow: 'anyone' });

    // §3
    const lastOfAccount: IqHandler = async (_iq, { to, from }) => {
      await requirePermission(to, from);
      if (sessions.of(to).length > 0) return lastElement(0);
      const last = await store.get(to);
      if (last === undefined) throw new StanzaError('item-not-found');
      return lastElement((Date.now() - last.time) / 1000, last.status);
    };
    iq.get(NS.last, 'query', lastOfAccount, { at: ['account'], allow: 'anyone' });

    // §4: clients are not asked by those who may not know whether they are there
    hooks.toAccount.use('guard', (stanza, { account }) => {
      if (stanza.kind !== 'iq' || stanza.type !== 'get' || stanza.to?.isBare || stanza.from === undefined) return;
      if (stanza.payload?.is('query', NS.last)) return requirePermission(account, stanza.from);
    });

    hooks.fromClient.use('observe', (stanza, session) => {
      if (stanza.kind !== 'presence' || stanza.to !== undefined) return;
      if (stanza.type === 'unavailable') farewells.set(session, keptStatus(stanza.childText('status') ?? ''));
      else if (stanza.type === undefined) farewells.delete(session);
    });
    hooks.events.on('session.unbound', async (session) => {
      const { account } = session;
      try {
        // Neither a guest nor an account that is being removed, which is disabled first, leaves a trace.
        if ((await accounts.refusal(account)) !== undefined) return;
        await store.set(account, { time: Date.now(), status: farewells.get(session) ?? '' });
      } catch (error) {
        if (!(error instanceof KeyspaceError)) throw error;
        log.debug('activity.lost', { account: account.toString(), error });
      }
    });
  },
});

function lastElement(seconds: number, status = ''): Element {
  // a clock that was set back makes no negative time
  const whole = Math.max(0, Math.floor(seconds));
  return Element.of('query', NS.last, { seconds: whole }, ...(status === '' ? [] : [status]));
}
