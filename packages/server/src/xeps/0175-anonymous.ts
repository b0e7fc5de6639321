import { NS } from '@parley/xmpp/namespaces';
import type { Iq, Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { defineModule } from '../module.ts';

const SUBSCRIPTION_TYPES = new Set(['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']);

/** Guests by SASL ANONYMOUS (XEP-0175): nothing of them is kept, and they stay among the users of this server. */
export default defineModule({
  name: 'anonymous',
  xeps: [{ number: 175, version: '1.2', note: 'off until `authentication.mechanisms` names ANONYMOUS' }],
  description: 'What guests may do, where ANONYMOUS is allowed.',

  setup({ hooks, accounts, keyspace, modules, isLocal }) {
    const owned = modules
      .flatMap(({ keys = [] }) => keys)
      .filter(({ scope = 'account', parts = [] }) => scope === 'account' && parts.length === 0);

    hooks.fromClient.use('guard', (stanza, session) => {
      if (session.stream.mechanism !== 'ANONYMOUS') return;
      // XEP-0175 §3: no other servers, no relationships, nothing to be stored
      const outside = stanza.to !== undefined && !isLocal(stanza.to);
      if (outside || isSubscription(stanza) || storesSomething(stanza, session.account.bareText)) {
        throw new StanzaError('forbidden', { text: 'Guests may not do this.' });
      }
    });

    // whoever asks a guest for a relationship asks somebody who is no account
    hooks.toAccount.use('guard', (stanza, { account }) => {
      if (!isSubscription(stanza)) return;
      const known = accounts.exists(account);
      if (known instanceof Promise) return known.then(requireAccount);
      requireAccount(known);
    });

    // XEP-0175 §3: what modules have kept of a session all the same goes with it
    hooks.events.on('session.unbound', async ({ stream, account }) => {
      if (stream.mechanism !== 'ANONYMOUS' || owned.length === 0) return;
      await keyspace.del(...owned.map((keys) => keys.key(account.bareText)));
    });
  },
});

const isSubscription = (stanza: Stanza): boolean =>
  stanza.kind === 'presence' && SUBSCRIPTION_TYPES.has(stanza.type ?? '');

/** Requests of a guest to his own account that do more than ask. */
function storesSomething(stanza: Stanza, account: string): boolean {
  if (stanza.kind !== 'iq' || stanza.type !== 'set') return false;
  const own = stanza.to === undefined || stanza.to.toString() === account;
  return own && !SESSION_ONLY.has((stanza as Iq).payload?.ns ?? '');
}

/** These change the session alone. */
const SESSION_ONLY = new Set<string>([NS.session, NS.carbons]);

function requireAccount(known: boolean): void {
  if (!known) throw new StanzaError('service-unavailable');
}
