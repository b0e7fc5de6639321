import { StanzaError } from '@parley/xmpp/stanza-error';
import { Groups } from '../auth/groups.ts';
import { defineModule } from '../module.ts';
import { Paced } from './paced.ts';
import { PresenceBroadcast } from './presence-broadcast.ts';
import { PresenceProbes } from './presence-probes.ts';
import { PresenceStates } from './presence-states.ts';
import { PresenceUpdates } from './presence-updates.ts';
import { RosterPushes } from './roster-pushes.ts';
import { RosterStore } from './roster-store.ts';
import { SharedChanges } from './shared-changes.ts';
import { Turns } from './turns.ts';

/** RFC 6121 §4: who is there. */
export default defineModule({
  name: 'presence',
  essential: true,
  description: 'Tells contacts who is there (RFC 6121 §4).',
  setup(context) {
    const { hooks, router, sessions } = context;
    const store = context.use(RosterStore);
    const turns = new Turns();
    const paced = new Paced(hooks, turns);
    const probes = new PresenceProbes({ store, router, sessions, paced, isLocal: (jid) => context.isLocal(jid) });
    const broadcast = context.use(PresenceBroadcast);
    const states = new PresenceStates();
    const updates = new PresenceUpdates({ context, store, broadcast, probes, states, turns });
    context.provide(PresenceStates, states);
    const pushes = context.use(RosterPushes);
    const changes = new SharedChanges({ context, store, pushes, broadcast, probes, paced });
    context.use(Groups).onSettled((change) => changes.take(change));

    hooks.fromClient.use('deliver', (stanza, session) => {
      if (stanza.kind !== 'presence') return false;
      switch (stanza.type) {
        case undefined:
          return stanza.to === undefined ? updates.available(stanza, session) : updates.direct(stanza, session);
        case 'unavailable':
          return stanza.to === undefined ? updates.unavailable(stanza, session) : updates.direct(stanza, session);
        default: // a probe or an error: it goes on to whom it is for
          if (stanza.to === undefined) throw new StanzaError('bad-request', { text: 'Say to whom this is.' });
          return false;
      }
    });
    hooks.toSession.use('observe', (stanza, session) => {
      if (stanza.kind === 'presence') updates.received(stanza, session);
    });
    hooks.toAccount.use('deliver', (stanza, { account }) =>
      stanza.kind === 'presence' && stanza.type === 'probe' ? probes.answer(stanza, account) : false,
    );
    hooks.events.on('session.restored', (session, directed) => {
      const state = states.of(session);
      state.announced = session.available;
      for (const to of directed) states.direct(session, to, Number.POSITIVE_INFINITY);
    });
    hooks.events.on('session.restored', (session) => changes.restored(session));
    hooks.events.on('session.lost', (jid, directed) => updates.lost(jid, directed));
    hooks.events.on('session.moved', (session) => changes.forget(session));
    hooks.events.on('session.unbound', async (session) => {
      changes.forget(session);
      await updates.end(session);
    });
  },
});
