import { randomUUID } from 'node:crypto';
import type { LimitName } from '@parley/metrics/catalogue';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, iq, message, presence, type Stanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { ComponentStream } from '../../components/component-stream.ts';
import { Components } from '../../components/components.ts';
import type { ComponentConfiguration } from '../../config/components.ts';
import { itemElement, removedItemElement } from '../../im/roster-item.ts';
import { RosterRequests } from '../../im/roster-requests.ts';
import { RosterStore } from '../../im/roster-store.ts';
import type { Subscription } from '../../im/subscription-state.ts';
import { defineModule } from '../../module.ts';
import { type Awaitable, Dropped } from '../../pipeline.ts';
import type { Session } from '../../session/session.ts';
import { PrivilegedRequests } from './privileged-requests.ts';
import { Privileges } from './privileges.ts';

const SUBSCRIPTIONS: readonly Subscription[] = ['none', 'to', 'from', 'both'];

/** XEP-0356: components that may do things for users. */
export default defineModule({
  name: 'privileges',
  essential: true,
  description: 'Lets components that are configured so read rosters and act for users (XEP-0356).',
  xeps: [
    {
      number: 356,
      version: '0.4.1',
      partial: true,
      note: 'For components that are configured to have privileges; not the presence of their users’ contacts (§7.3).',
    },
  ],
  setup(context) {
    const { router, hooks, sessions, domains, log, metrics } = context;
    const components = context.use(Components);
    const rosters = context.use(RosterRequests);
    const store = context.use(RosterStore);
    const requests = new PrivilegedRequests({
      self: context.sessionStore.owner,
      peers: context.peers,
      route: (stanza) => router.route(stanza),
      timeoutMs: () => context.config().limits.iq.timeoutSeconds * 1000,
    });
    context.onStop(() => requests[Symbol.dispose]());
    const of = (component: ComponentConfiguration) => new Privileges(component, domains);
    const all = () => components.table.all.map(of);

    const roster = async (asked: Iq, { component }: Privileges): Promise<true> => {
      const account = (asked.to as Jid).bare;
      const query = asked.payload as Element;
      if (!(await context.accounts.exists(account))) throw new StanzaError('item-not-found');
      const onLimit = (limit: LimitName) => {
        metrics.limitsExceeded.with({ limit }).add(1);
        log.flood('limit.exceeded', { limit, component: component.domain, account: account.toString() });
      };
      if (asked.type === 'get') {
        await router.route(asked.result(await rosters.whole(account, onLimit)));
        return true;
      }
      // of its own contacts, for whom it speaks, it may say what they have agreed to; of nobody else's
      const said = query.child('item')?.attr('subscription');
      const vouched = (contact: Jid) =>
        components.table.serving(contact.domain)?.domain === component.domain
          ? SUBSCRIPTIONS.find((each) => each === said)
          : undefined;
      await rosters.change(query, account, onLimit, vouched);
      await router.route(asked.result());
      return true;
    };

    components.tap((stanza, component) => {
      const { payload, to, from } = stanza;
      if (payload === undefined || to === undefined || from?.isDomain !== true) return false;
      const privileges = of(component);
      if (!privileges.any || from.domain !== component.domain) return false;
      if (stanza.kind === 'message' && payload.is('privilege', NS.privilege)) {
        return speak(stanza, privileges, (said) => router.route(said));
      }
      if (stanza.kind !== 'iq' || (stanza.type !== 'get' && stanza.type !== 'set')) return false;
      if (payload.is('privileged_iq', NS.privilege)) return requests.send(stanza as Iq, privileges);
      if (!payload.is('query', NS.roster) || !privileges.covers(to) || !to.isBare || to.isDomain) return false;
      if (!privileges.roster(stanza.type)) throw new StanzaError('forbidden');
      return roster(stanza as Iq, privileges);
    });

    hooks.toAccount.use('guard', (stanza) => {
      if (requests.take(stanza)) throw new Dropped();
    });

    // §4.4
    hooks.events.on('roster.changed', async (account, contact) => {
      const told = all().filter((each) => each.rosterPushes && each.covers(account));
      if (!told.some(({ component }) => components.isConnected(component.domain))) return;
      const item = (await store.get(account)).shown(contact);
      const element = item === undefined ? removedItemElement(contact) : itemElement(item);
      const push = iq({ from: account, type: 'set', id: randomUUID() }, Element.of('query', NS.roster, {}, element));
      for (const { component } of told) await router.route(push.withTo(Jid.parse(component.domain)));
    });

    // §7.1
    const tellPresence = async (session: Session, stanza: Stanza): Promise<void> => {
      for (const each of all()) {
        const { domain } = each.component;
        if (!each.presence || !each.covers(session.account) || !components.isConnected(domain)) continue;
        await router.route(stanza.withTo(Jid.parse(domain)));
      }
    };
    hooks.events.on('presence.available', (session, first) =>
      first && session.presence !== undefined ? tellPresence(session, session.presence) : undefined,
    );
    hooks.events.on('presence.unavailable', (session) =>
      tellPresence(session, presence({ from: session.jid, type: 'unavailable' })),
    );

    components.onConnected((component, instance) => {
      const privileges = of(component);
      if (!privileges.any) return;
      for (const domain of privileges.domains) {
        const parts = { from: Jid.parse(domain), to: Jid.parse(component.domain), id: randomUUID() };
        void instance.deliver(message(parts, privileges.toElement()));
        if (privileges.presence) tellAll(domain, instance);
      }
    });

    /** §8: who is there already. */
    function tellAll(domain: string, instance: ComponentStream): void {
      for (const account of sessions.accountsOf(domain)) {
        if (!components.isFor(instance, account)) continue;
        for (const { presence: known } of sessions.of(account)) {
          if (known !== undefined) void instance.deliver(known.withTo(Jid.parse(instance.domain)));
        }
      }
    }
  },
});

/** §5.3: what the server is to send in somebody's name. */
function speak(stanza: Stanza, privileges: Privileges, route: (said: Stanza) => Awaitable<void>): Awaitable<boolean> {
  if (!privileges.covers(stanza.to as Jid)) return false;
  const inside = stanza.payload?.child('forwarded', NS.forward)?.child('message', NS.client);
  if (inside === undefined || !privileges.messages) throw new StanzaError('forbidden');
  const said = stanzaOf(inside);
  const { from, to } = said;
  if (from === undefined || !from.isBare || from.domain !== stanza.to?.domain) throw new StanzaError('forbidden');
  if (to === undefined) throw new StanzaError('bad-request', { text: 'The message is for nobody.' });
  const routed = route(said);
  return routed instanceof Promise ? routed.then(() => true) : true;
}
