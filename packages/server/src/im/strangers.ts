import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { defineModule } from '../module.ts';
import type { Session } from '../session/session.ts';
import type { AccountRoster } from './account-roster.ts';
import { MetStrangers } from './met-strangers.ts';
import { RosterStore } from './roster-store.ts';

/** XEP-0205 §4.6: who writes to ever more addresses that it does not know is likely to send what nobody wants. */
export default defineModule({
  name: 'strangers',
  description: 'Limits how many addresses outside its roster an account may write to (XEP-0205 §4.6).',
  setup({ config, hooks, isLocal, router, use }) {
    const store = use(RosterStore);
    const met = new MetStrangers();

    const check = (stanza: Stanza, session: Session, roster: AccountRoster) => {
      const { to } = stanza;
      if (to === undefined || roster.has(to) || roster.requests.has(to.bareText)) return;
      const most = config().limits.stanzas.strangersPerHour;
      if (met.meet(session.account, to, most, performance.now())) return;
      session.stream.host.onLimit(session.stream, 'strangers');
      const application = Element.of('too-many-stanzas', 'urn:xmpp:errors');
      throw new StanzaError('unexpected-request', { text: 'Too many new addresses: try again later.', application });
    };

    hooks.fromClient.use('guard', (stanza, session) => {
      const { to } = stanza;
      if (to === undefined || !begins(stanza) || to.bareText === session.account.bareText) return;
      if (session.stream.unlimited || config().limits.stanzas.strangersPerHour === Number.POSITIVE_INFINITY) return;
      if (to.local === '' && isLocal(to)) return; // the server itself
      if (router.service(to.domain) !== undefined) return; // a gateway has an address for everybody behind it
      const roster = store.get(session.account);
      if (!(roster instanceof Promise)) return check(stanza, session, roster);
      return roster.then(
        (read) => check(stanza, session, read),
        (error) => {
          if (!(error instanceof KeyspaceError)) throw error;
          // who can still be reached while the keyspace is away may be written to
        },
      );
    });
  },
});

/** Whether it asks for attention by itself: answers do not, nor does what ends something. */
function begins({ kind, type }: Stanza): boolean {
  switch (kind) {
    case 'message':
      return type !== 'error';
    case 'iq':
      return type === 'get' || type === 'set';
    case 'presence':
      return type === undefined || type === 'subscribe' || type === 'probe';
  }
}
