import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Groups } from '../auth/groups.ts';
import { defineModule } from '../module.ts';
import type { Session } from '../session/session.ts';
import { PresenceBroadcast } from './presence-broadcast.ts';
import { rosterMoves } from './roster-moves.ts';
import { rosterPart } from './roster-part.ts';
import { RosterPushes } from './roster-pushes.ts';
import { RosterRequests } from './roster-requests.ts';
import { RosterStore, requestKeys, rosterKeys } from './roster-store.ts';
import { SharedContacts } from './shared-contacts.ts';

/** RFC 6121 §2: contacts, kept by the server. */
export default defineModule({
  name: 'roster',
  essential: true,
  description: 'Keeps the contacts of accounts (RFC 6121 §2).',
  keys: [rosterKeys, requestKeys],
  moves: rosterMoves,
  parts: [rosterPart],
  setup(context) {
    const { hooks, iq, features, sessions, router } = context;
    const limits = () => context.config().roster;
    const groups = context.use(Groups);
    const shared = new SharedContacts(groups.views, sessions);
    const store = new RosterStore({
      keyspace: context.keyspace,
      isOnline: (account) => sessions.here(account).length > 0,
      limits,
      shared,
      onChange: (account) => context.peers.tell('roster', account.bareText),
    });
    const pushes = new RosterPushes(context.journal, sessions, () => limits().versioning);
    const broadcast = new PresenceBroadcast({ router, sessions, isLocal: (jid) => context.isLocal(jid), shared });
    context.provide(RosterStore, store);
    context.provide(RosterPushes, pushes);
    context.provide(PresenceBroadcast, broadcast);

    const roster = new RosterRequests(context, store, pushes, broadcast);
    context.provide(RosterRequests, roster);
    iq.get(NS.roster, 'query', (_, { payload, sender }) => roster.get(payload, ofClient(sender)), { at: ['account'] });
    iq.set(NS.roster, 'query', (_, { payload, sender }) => roster.set(payload, ofClient(sender)), { at: ['account'] });

    // RFC 6121 §2.6.1
    const feature = Element.of('ver', NS.rosterVersioning);
    features.add({
      ns: NS.rosterVersioning,
      advertise: ({ identity }) => (identity !== undefined && limits().versioning ? feature : undefined),
    });

    const forget = ({ account }: Session) => {
      // once those who still need the roster, to say that the session is gone, have used it
      queueMicrotask(() => sessions.here(account).length > 0 || store.forget(account));
    };
    hooks.events.on('session.unbound', forget);
    hooks.events.on('session.moved', forget);
    context.peers.on('roster', (account) => store.forget(Jid.parse(account)));
    hooks.events.on('account.removed', (account) => roster.end(account));
    hooks.events.on('account.moved', (account) => store.forget(account));
  },
});

function ofClient(sender: Session | undefined): Session {
  if (sender === undefined) throw new StanzaError('service-unavailable');
  return sender;
}
