import { Element } from '@parley/xmpp/element';
import { Jid, JidError } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { PasswordError, preparePassword } from '@parley/xmpp/password';
import { SaslError } from '@parley/xmpp/sasl-error';
import type { Iq } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { defineModule } from '../module.ts';
import { Admission } from '../stream/admission.ts';
import { type LoginAttempt, Logins } from '../stream/logins.ts';
import { mechanismsOf } from '../stream/sasl-offers.ts';
import type { Stream } from '../stream/stream.ts';

/** Logging in as it was before SASL (XEP-0078): with the password alone, over TLS alone, where it is switched on. */
export default defineModule({
  name: 'legacy-auth',
  xeps: [
    { number: 78, version: '2.5', note: 'over TLS only, without digests; switched on by `authentication.legacy`' },
  ],
  description: 'Log in by the obsolete jabber:iq:auth, where `authentication.legacy` is on.',

  setup({ config, features, onBind, use }) {
    const logins = use(Logins);
    const admission = use(Admission);
    /** Attempts that failed here, and not in SASL. */
    const failures = new WeakMap<Stream, number>();
    /** It is PLAIN by another name: where passwords are not to be shown, they are not taken. */
    const takesPasswords = (domain: string) => mechanismsOf(domain, config()).includes('PLAIN');
    const offered = (stream: Stream) =>
      config().authentication.legacy &&
      stream.encrypted &&
      stream.identity === undefined &&
      takesPasswords(stream.domain);

    const feature = Element.of('auth', NS.iqAuthFeature);
    features.add({
      ns: NS.iqAuth,

      advertise: (stream) => (offered(stream) ? feature : undefined),

      handleIq(stream, iq) {
        if (stream.identity !== undefined) throw new StreamError('policy-violation', 'This stream has authenticated.');
        if (!offered(stream)) return reply(stream, iq.error(new StanzaError('service-unavailable')));
        // XEP-0078 §3.1
        if (logins.failuresOn(stream) > (failures.get(stream) ?? 0)) {
          throw new StreamError('policy-violation', 'SASL was tried before.');
        }
        if (iq.type === 'get') return reply(stream, iq.result(fields()));
        return logIn(stream, iq);
      },
    });

    async function logIn(stream: Stream, iq: Iq): Promise<void> {
      await admission.login(stream);
      if (stream.closed) return;
      const attempt: LoginAttempt = { stream, mechanism: 'legacy' };
      let jid: Jid;
      try {
        jid = await verified(attempt, iq);
        if (stream.closed) return;
        logins.succeeded(attempt, jid.bare);
      } catch (error) {
        if (error instanceof StanzaError) return reply(stream, iq.error(error));
        return fail(attempt, iq, error);
      }
      stream.authenticated(jid.bare, attempt.mechanism);
      try {
        await onBind(stream, jid);
      } catch (error) {
        if (!(error instanceof StanzaError)) throw error;
        return reply(stream, iq.error(error));
      }
      reply(stream, iq.result());
    }

    async function verified(attempt: LoginAttempt, iq: Iq): Promise<Jid> {
      const query = iq.payload;
      const [username, password, resource] = ['username', 'password', 'resource'].map((name) => query?.childText(name));
      if (!username || !password || !resource) throw new StanzaError('not-acceptable');
      const jid = fullJid(username, attempt.stream.domain, resource);
      await logins.verify(attempt, jid.bare, prepared(password));
      await logins.permit(attempt, jid.bare);
      return jid;
    }

    async function fail(attempt: LoginAttempt, iq: Iq, error: unknown): Promise<void> {
      const { stream } = attempt;
      const reason = logins.reasonOf(error, stream);
      failures.set(stream, (failures.get(stream) ?? 0) + 1);
      const { last } = await logins.failed(attempt, reason);
      const condition = reason.condition === 'temporary-auth-failure' ? 'resource-constraint' : 'not-authorized';
      reply(stream, iq.error(new StanzaError(condition)));
      if (last) throw new StreamError('policy-violation', 'Too many logins failed.');
    }
  },
});

const fields = () =>
  Element.of(
    'query',
    NS.iqAuth,
    {},
    ...['username', 'password', 'resource'].map((name) => Element.of(name, NS.iqAuth)),
  );

function fullJid(username: string, domain: string, resource: string): Jid {
  let bare: Jid;
  try {
    bare = Jid.of(username, domain);
  } catch (error) {
    if (error instanceof JidError) throw new SaslError('not-authorized');
    throw error;
  }
  try {
    return bare.withResource(resource);
  } catch (error) {
    if (error instanceof JidError) throw new StanzaError('not-acceptable');
    throw error;
  }
}

function prepared(password: string): string {
  try {
    return preparePassword(password);
  } catch (error) {
    if (error instanceof PasswordError) throw new SaslError('not-authorized');
    throw error;
  }
}

function reply(stream: Stream, answer: Iq): void {
  stream.send(answer.toString());
}
