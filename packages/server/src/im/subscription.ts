import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { defineModule } from '../module.ts';
import { PresenceBroadcast } from './presence-broadcast.ts';
import { RosterPushes } from './roster-pushes.ts';
import { RosterStore } from './roster-store.ts';
import { SubscriptionRequests } from './subscription-requests.ts';
import { isSubscriptionEvent } from './subscription-state.ts';
import { Subscriptions } from './subscriptions.ts';

/** RFC 6121 §3: who gets whose presence. */
export default defineModule({
  name: 'subscription',
  essential: true,
  description: 'Lets accounts subscribe to the presence of others (RFC 6121 §3).',
  setup(context) {
    const { features, hooks } = context;
    const store = context.use(RosterStore);
    const subscriptions = new Subscriptions(context, store, context.use(RosterPushes), context.use(PresenceBroadcast));
    const requests = new SubscriptionRequests(context, store);

    hooks.fromClient.use('deliver', (stanza, session) =>
      stanza.kind === 'presence' && isSubscriptionEvent(stanza.type)
        ? subscriptions.send(stanza, stanza.type, session)
        : false,
    );
    hooks.toAccount.use('deliver', (stanza, at) =>
      stanza.kind === 'presence' && isSubscriptionEvent(stanza.type)
        ? subscriptions.receive(stanza, stanza.type, at)
        : false,
    );
    hooks.events.on('presence.available', (session, first) => (first ? requests.deliver(session) : undefined));

    // RFC 6121 §3.4
    const feature = Element.of('sub', NS.preApproval);
    features.add({ ns: NS.preApproval, advertise: ({ identity }) => (identity === undefined ? undefined : feature) });
  },
});
