import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { defineModule } from '../module.ts';
import { errorFor } from '../routing/answer.ts';
import type { Session } from '../session/session.ts';
import type { AccountScope } from '../stream/stream-access.ts';

/** Which requests a scope allows. */
const REQUESTS: Readonly<Record<string, AccountScope>> = { get: 'read', set: 'write' };

/**
 * Who was let in by OAuth for the account alone (XEP-0493 §5.1) talks with the server of the account, and with nobody else; whatever
 * others say does not come there either.
 */
export default defineModule({
  name: 'account-scopes',
  essential: true,
  xeps: [
    {
      number: 493,
      version: '0.1.1',
      note: 'Tokens are those of `identityProviders`, which have what the XEP asks of an OAuth provider. The scopes are `xmpp:client:normal`, `xmpp:account:read` and `xmpp:account:write`, of which the last does not have the one before.',
    },
  ],

  setup({ hooks, router }) {
    hooks.fromClient.use('guard', (stanza, session) => {
      const { only } = session.stream.access.grant ?? {};
      if (only === undefined || allows(only, stanza, session)) return;
      throw new StanzaError('forbidden', { text: 'This client was let in for other things.' });
    });

    // others know of no such resource
    hooks.toSession.use('deliver', (stanza, session) => {
      if (session.stream.access.grant?.only === undefined || isOfServer(stanza, session)) return false;
      const answer = errorFor(stanza, new StanzaError('service-unavailable'), () => undefined);
      const routed = answer && stanza.from !== undefined ? router.route(answer) : undefined;
      return routed instanceof Promise ? routed.then(() => true) : true;
    });
  },
});

/** Requests to the account and its server, as the scopes allow. */
export function allows(
  only: readonly AccountScope[],
  { kind, type = '', to }: Stanza,
  { account }: Pick<Session, 'account'>,
): boolean {
  const toServer = to === undefined || to.equals(account) || (to.isDomain && to.domain === account.domain);
  if (kind !== 'iq' || !toServer) return false;
  const needed = REQUESTS[type];
  return needed === undefined || only.includes(needed); // answers are to requests of the server
}

/** Requests and answers of the account and its server, and errors: of what the client itself has said. */
export function isOfServer({ kind, type, from }: Stanza, { account }: Pick<Session, 'account'>): boolean {
  if (type === 'error') return true;
  const { bareText, domain } = account;
  return kind === 'iq' && (from === undefined || [bareText, domain].includes(from.toString()));
}
