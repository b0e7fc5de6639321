import { formatDateTime } from '@parley/xmpp/date-time';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { type Client, ClientAccess, revocation } from '../../auth/clients/client-access.ts';
import { revokedGrantKeys } from '../../auth/clients/revoked-grants.ts';
import type { IqContext } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import type { Session } from '../../session/session.ts';

/** XEP-0494: people see which clients have access to their account, and take that away from them. */
export default defineModule({
  name: 'client-access',
  description: 'Shows people which clients have access to their account, and lets them shut clients out (XEP-0494).',
  xeps: [
    {
      number: 494,
      version: '0.1.0',
      note: 'Clients that do not say who they are (XEP-0388) are in the list while they are connected. What is remembered, and for how long, is in `authentication.clients`.',
    },
  ],
  accountFeatures: [NS.clientAccess],
  keys: [revokedGrantKeys],
  moves: [{ keys: revokedGrantKeys, stays: true }], // tokens of the former address are none of the new one
  setup({ iq, log, use }) {
    const access = use(ClientAccess);

    // §3.1
    iq.get(
      NS.clientAccess,
      'list',
      async (_, context) => {
        const { account } = owner(context);
        const clients = await access.list(account);
        return Element.of('clients', NS.clientAccess, {}, ...clients.map(elementOf));
      },
      { at: ['account'] },
    );

    // §3.2
    iq.set(
      NS.clientAccess,
      'revoke',
      async (request, context) => {
        const session = owner(context);
        const id = context.payload.attr('id') ?? '';
        if (id === '') throw new StanzaError('bad-request', { text: 'Say which client.' });
        // XEP-0493 §4: who was let in for everyday use shuts nobody out
        if (session.stream.access.grant?.restricted) throw new StanzaError('forbidden');
        const { account } = session;
        const outcome = await access.revoke(account, id, { asking: session });
        if (outcome === 'unknown') throw new StanzaError('item-not-found');
        if (outcome === 'password' || outcome === 'other') throw notRevocable(outcome);
        log.info('client.revoked', {
          account: account.toString(),
          id,
          address: session.stream.transport.remoteAddress,
        });
        if (outcome === 'own') {
          session.stream.send(request.result().toString());
          session.end(revocation());
        }
        return undefined;
      },
      { at: ['account'] },
    );
  },
});

/** The session that asks, of an account that is kept. */
function owner({ sender }: IqContext): Session {
  if (sender === undefined || sender.stream.mechanism === 'ANONYMOUS') throw new StanzaError('forbidden');
  return sender;
}

function notRevocable(why: 'password' | 'other'): StanzaError {
  if (why === 'other') {
    const text = 'This client comes by something that is not given here, such as a certificate: have that revoked.';
    return new StanzaError('service-unavailable', { text });
  }
  return new StanzaError('service-unavailable', {
    application: Element.of('password-reset-required', NS.clientAccess),
    text: 'This client knows the password: change that.',
  });
}

function elementOf(client: Client): Element {
  const of = (name: string, ...children: (string | Element)[]) => Element.of(name, NS.clientAccess, {}, ...children);
  const words = (name: string, text: string | undefined) => (text === undefined ? [] : [of(name, text)]);
  const agent = [...words('software', client.software), ...words('device', client.device)];
  return Element.of(
    'client',
    NS.clientAccess,
    { connected: String(client.connected), id: client.id, type: client.type },
    of('first-seen', formatDateTime(client.firstSeen)),
    of('last-seen', formatDateTime(client.lastSeen)),
    of('auth', ...client.auth.filter((each) => each !== 'other').map((each) => of(each))),
    Element.of('permission', NS.clientAccess, { status: client.restricted ? 'normal' : 'unrestricted' }),
    ...(agent.length === 0 ? [] : [of('user-agent', ...agent)]),
  );
}
