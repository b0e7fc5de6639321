import { StanzaError } from '@parley/xmpp/stanza-error';
import { defineModule } from '../module.ts';
import { RemoteSession } from '../session/remote-session.ts';
import { maySeePresence } from './presence-permission.ts';
import { PresenceStates } from './presence-states.ts';
import { RosterStore } from './roster-store.ts';

/**
 * RFC 6121 §8.5.3.1: a client is asked only by those to whom it shows its presence. To all others it looks as if it were
 * not there, which its answer would belie.
 */
export default defineModule({
  name: 'requests',
  description: 'Hands requests on only to clients that show the asker their presence (RFC 6121 §8.5.3.1).',
  setup(context) {
    const { hooks, sessions } = context;
    const rosters = context.use(RosterStore);
    const states = context.use(PresenceStates);

    hooks.toAccount.use('guard', (stanza, { account }) => {
      const { kind, type, from, to } = stanza;
      if (kind !== 'iq' || (type !== 'get' && type !== 'set') || from === undefined || to?.resource === '') return;
      const session = to && sessions.get(to);
      // it is refused anyway, or asked for by the node that has it
      if (session === undefined || session instanceof RemoteSession) return;
      if (from.isDomain && context.isLocal(from)) return; // the server itself
      const may = maySeePresence(rosters, account, from);
      if (may instanceof Promise) return may.then((subscribed) => check(subscribed || states.reaches(session, from)));
      check(may || states.reaches(session, from));
    });
  },
});

function check(may: boolean): void {
  if (!may) throw new StanzaError('service-unavailable');
}
