import type { LimitName } from '@parley/metrics/catalogue';
import { Element } from '@parley/xmpp/element';
import { Jid, JidError } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Iq } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { IqContext } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import { network } from '../../net/connection-limits.ts';
import type { Session } from '../../session/session.ts';
import { Logins } from '../../stream/logins.ts';
import type { Stream } from '../../stream/stream.ts';
import { WindowCount } from '../../stream/window-count.ts';
import { passwordQuery, readNewPassword } from './password-form.ts';

const HOUR = 3_600_000;
/** What says that somebody may not have this account. The errors of limits tell of themselves. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['conflict', 'not-acceptable', 'not-allowed', 'policy-violation', 'service-unavailable'],
]);

/** In-band registration (XEP-0077): new accounts where the operator allows it, passwords, and going for good. */
export default defineModule({
  name: 'registration',
  xeps: [{ number: 77, version: '2.4', note: 'new accounts only where `registration.inBand` is on' }],
  description: 'Make, change and remove accounts in-band, as the section `registration` allows.',
  features: [NS.register],

  setup({ config, features, iq, accounts, log, use }) {
    const logins = use(Logins);
    const registrations = new WindowCount();
    const passwordChanges = new WindowCount();
    /** Sessions that have asked to remove their account. */
    const leaving = new Map<string, Session>();

    // --- before authentication -----------------------------------------------------------------------------------

    const open = (domain: string) => config().registration.inBand && accounts.creates(domain);
    /** A password is about to be sent. */
    const safe = (stream: Stream) =>
      stream.encrypted || (!config().tls.required && config().authentication.plainWithoutTls);

    const feature = Element.of('register', NS.registerFeature);
    features.add({
      ns: NS.register,

      advertise: (stream) =>
        stream.identity === undefined && open(stream.domain) && safe(stream) ? feature : undefined,

      async handleIq(stream, request) {
        if (stream.identity !== undefined) throw new StreamError('not-authorized', 'Bind a resource first.');
        try {
          stream.send(request.result(...(await answerStranger(stream, request))).toString());
        } catch (error) {
          if (!(error instanceof StanzaError)) throw error;
          if (request.type === 'set') tellRefused(stream, request, error);
          stream.send(request.error(error).toString());
        }
      },
    });

    function tellRefused(stream: Stream, { payload }: Iq, { condition, text }: StanzaError): void {
      if (!REFUSALS.has(condition)) return;
      const username = payload?.childText('username');
      const account = username ? tryAccountOf(username, stream.domain)?.toString() : undefined;
      log.flood('registration.refused', { account, address: stream.transport.remoteAddress, condition, text });
    }

    async function answerStranger(stream: Stream, request: Iq): Promise<Element[]> {
      if (!open(stream.domain) || (request.to !== undefined && request.to.toString() !== stream.domain)) {
        throw new StanzaError('service-unavailable');
      }
      if (!safe(stream)) throw new StanzaError('policy-violation', { text: 'Encrypt the stream first.' });
      const query = request.payload as Element;
      if (query.name !== 'query') throw new StanzaError('bad-request');
      if (request.type === 'get') return [form()];
      if (query.child('remove') !== undefined) throw new StanzaError('unexpected-request');
      await register(stream, query);
      return [];
    }

    async function register(stream: Stream, query: Element): Promise<void> {
      const username = query.childText('username');
      const password = query.childText('password');
      if (!username || !password) throw new StanzaError('not-acceptable', { text: 'Give a username and a password.' });
      const account = accountOf(username, stream.domain);
      const address = stream.transport.remoteAddress;
      if (!logins.trusts(address)) {
        const times = registrations.add(network(address), HOUR, performance.now());
        if (times > config().limits.registration.attemptsPerHour) refuse(stream, 'registrations-per-address');
      }
      try {
        await accounts.create?.(account, password);
      } catch (error) {
        if (error instanceof StanzaError) throw error;
        stream.host.onFault(error, stream);
        throw new StanzaError('resource-constraint');
      }
      log.info('account.registered', { account: account.toString(), address });
    }

    // --- after authentication ------------------------------------------------------------------------------------

    const at = { at: ['domain', 'account'] } as const;

    iq.get(
      NS.register,
      'query',
      (_, context) => {
        const { account } = owner(context);
        const registered = Element.of('registered', NS.register);
        return form(registered, Element.of('username', NS.register, {}, account.local));
      },
      at,
    );

    iq.set(
      NS.register,
      'query',
      (request, context) => {
        const session = owner(context);
        const { payload } = context;
        // XEP-0493 §4: who was let in for everyday use takes the account over from nobody
        if (session.stream.access.grant?.restricted) throw new StanzaError('forbidden');
        return payload.child('remove') === undefined
          ? changePassword(session, payload)
          : leave(session, payload, request);
      },
      at,
    );

    async function changePassword(session: Session, query: Element): Promise<undefined> {
      const { account, stream } = session;
      const wanted = readNewPassword(query);
      // XEP-0077 §3.3: an empty password changes nothing
      if (wanted === undefined) throw new StanzaError('bad-request');
      const { username, password, old } = wanted;
      if (!config().registration.passwordChange || accounts.setPassword === undefined) {
        throw new StanzaError('not-allowed');
      }
      if (!accountOf(username, account.domain).equals(account)) throw new StanzaError('not-allowed');
      if (!safe(stream)) throw new StanzaError('not-authorized', { text: 'Encrypt the stream first.' });
      const times = passwordChanges.add(account.bareText, HOUR, performance.now());
      if (times > config().limits.registration.passwordChangesPerHour) refuse(stream, 'password-changes');
      try {
        await accounts.setPassword(account, password, session.sessionId, old);
      } catch (error) {
        const asks = error instanceof StanzaError && error.condition === 'not-authorized' && old === undefined;
        if (!asks) throw error;
        throw new StanzaError('not-authorized', { text: error.text, beside: passwordQuery(account.local) });
      }
      log.info('account.password', { account: account.toString(), address: stream.transport.remoteAddress });
    }

    async function leave(session: Session, query: Element, request: Iq): Promise<undefined> {
      if (query.elements.length > 1) throw new StanzaError('bad-request');
      // who may come by himself may go by himself
      if (!config().registration.inBand || accounts.remove === undefined) throw new StanzaError('not-allowed');
      leaving.set(session.sessionId, session);
      try {
        await accounts.remove(session.account, session.sessionId);
      } catch (error) {
        const text = 'The account is closed, but not removed yet.';
        if (session.ended) session.stream.error(new StreamError('internal-server-error', text));
        throw error;
      } finally {
        leaving.delete(session.sessionId);
      }
      // XEP-0077 §3.2: the result, then the end of this session as of all the others
      session.stream.send(request.result().toString());
      session.stream.error(new StreamError('not-authorized', 'This account was removed.'));
      const address = session.stream.transport.remoteAddress;
      log.info('account.left', { account: session.account.toString(), address });
    }

    accounts.onChange(({ change, sessionId = '' }) => {
      // its stream stays until the removal is committed: the result must be true
      if (change === 'removed') leaving.get(sessionId)?.finish('its account was removed');
    });
  },
});

/** The session that asks, of an account that is kept. */
function owner({ sender }: IqContext): Session {
  if (sender === undefined || sender.stream.mechanism === 'ANONYMOUS') throw new StanzaError('forbidden');
  return sender;
}

function accountOf(username: string, domain: string): Jid {
  const account = tryAccountOf(username, domain);
  if (account === undefined) throw new StanzaError('not-acceptable', { text: 'This is no username.' });
  return account;
}

function tryAccountOf(username: string, domain: string): Jid | undefined {
  try {
    return Jid.of(username, domain);
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

function form(...first: Element[]): Element {
  const text = 'Choose a username and a password.';
  const fields = first.length > 0 ? first : [Element.of('username', NS.register)];
  return Element.of(
    'query',
    NS.register,
    {},
    Element.of('instructions', NS.register, {}, text),
    ...fields,
    Element.of('password', NS.register),
  );
}

function refuse(stream: Stream, limitName: LimitName): never {
  stream.host.onLimit(stream, limitName);
  throw new StanzaError('resource-constraint', { text: 'Too many for now: try again later.' });
}
