import type { Jid } from '@parley/xmpp/jid';
import { claimedAccount } from '@parley/xmpp/sasl/claimed-account';
import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import type { ChannelBindingType, SaslExchange, SaslServices, SaslStep, SaslTokens } from '@parley/xmpp/sasl/mechanism';
import { saslMechanisms, startSasl } from '@parley/xmpp/sasl/mechanisms';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Configuration } from '../config/schema.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Admission } from './admission.ts';
import { certificateIdentities } from './client-certificate.ts';
import type { LoginAttempt, Logins } from './logins.ts';
import { type Offers, offersOf, WITHOUT_PASSWORD } from './sasl-offers.ts';
import type { Stream } from './stream.ts';
import type { GrantTokens } from './stream-access.ts';

/** What a mechanism has proved. */
export type SaslProof = Omit<SaslStep & { type: 'success' }, 'type'>;

/** How SASL is spoken on a stream: by RFC 6120 §6, or by XEP-0388. */
export interface SaslProfile {
  challenge(stream: Stream, data: Buffer): void;
  /** The proof was right; whether the account may log in is asked next. What it throws fails the attempt. */
  proved(attempt: LoginAttempt, proof: SaslProof): Awaitable<void>;
  fail(stream: Stream, reason: SaslError): void;
}

/** What a client sent to a mechanism. */
export interface SaslMessage {
  /** As it stands in the stream. */
  readonly text: string;
  /** Undefined where nothing was sent along. Throws a SaslError where it cannot be read. */
  read(): Buffer | undefined;
}

/** What a client can do in an attempt beside what every client can. */
export interface SaslAbilities {
  /** Change a password that has expired: the profile sees to it that it does. */
  readonly renews?: boolean | undefined;
  /** Show a token. */
  readonly tokens?: SaslTokens | undefined;
  /** Whether it shows what nobody but a client of this account has that comes back to a session: it logs in before others. */
  readonly returns?: ((account: Jid) => boolean) | undefined;
}

/** An attempt under way. */
interface Running extends LoginAttempt {
  readonly profile: SaslProfile;
  readonly exchange: SaslExchange;
}

/**
 * The attempts to log in by SASL, whichever profile a client speaks: a stream has one of them, and one attempt at a time.
 */
export class SaslAttempts {
  readonly #logins: Logins;
  readonly #admission: Admission;
  readonly #config: () => Configuration;
  readonly #bearer: (domain: string) => GrantTokens | undefined;
  readonly #offers = new WeakMap<Stream, Offers>();
  readonly #profiles = new WeakMap<Stream, SaslProfile>();
  readonly #running = new WeakMap<Stream, Running>();

  constructor(
    logins: Logins,
    admission: Admission,
    config: () => Configuration,
    bearer: (domain: string) => GrantTokens | undefined = () => undefined,
  ) {
    this.#logins = logins;
    this.#admission = admission;
    this.#config = config;
    this.#bearer = bearer;
  }

  /** What this stream offers: fixed each time it is advertised, so that what is checked is what was said. */
  offer(stream: Stream): Offers {
    const { authenticator, tickets } = this.#logins;
    const offers = offersOf(stream, this.#config(), authenticator.mechanisms(stream.domain), tickets?.usable);
    this.#offers.set(stream, offers);
    return offers;
  }

  /** What was advertised; undefined before that. */
  offered(stream: Stream): Offers | undefined {
    return this.#offers.get(stream);
  }

  /** The host that a client needs a ticket for (XEP-0233); '' where it is told none. */
  get ticketHost(): string {
    return this.#logins.tickets?.hostName ?? '';
  }

  /** Stands before everything that a client says in a profile: throws a StreamError where it may not be said. */
  enter(profile: SaslProfile, stream: Stream): void {
    // RFC 6120 §6.4: one identity a stream, proved once
    if (stream.identity !== undefined) throw new StreamError('policy-violation', 'This stream has authenticated.');
    const chosen = this.#profiles.get(stream) ?? profile;
    if (chosen !== profile) throw new StreamError('policy-violation', 'This stream speaks SASL in another way.');
    this.#profiles.set(stream, profile);
  }

  async begin(
    profile: SaslProfile,
    stream: Stream,
    name: string,
    message: SaslMessage,
    { renews = false, tokens, returns }: SaslAbilities = {},
  ): Promise<void> {
    const comesBack = () => {
      const account = returns && claimedAccount(name, message.text, stream.domain);
      return account !== undefined && returns?.(account) === true;
    };
    const turn = this.#admission.login(stream, comesBack);
    if (turn !== undefined) await turn;
    if (stream.closed) return;
    if (this.#running.has(stream)) {
      return this.fail(profile, stream, new SaslError('malformed-request', 'Another exchange is going on.'));
    }
    // who has not shown to know the password puts none in its place; of who shows a token nothing is asked (XEP-0484 §4.2)
    const knows = !WITHOUT_PASSWORD.has(name) && !tokenMechanisms.has(name);
    stream.access.grant = undefined; // of an attempt before
    const attempt: LoginAttempt = { stream, mechanism: labelOf(name), renews: renews && knows };
    try {
      const offers = this.#offers.get(stream) ?? this.offer(stream);
      if (offers.needTls.includes(name)) throw new SaslError('encryption-required'); // RFC 6120 §6.5.4
      const identities = name === 'EXTERNAL' ? await this.#certified(stream) : [];
      if (stream.closed) return;
      const exchange = startSasl(name, this.#services(offers, attempt, identities, tokens));
      this.#running.set(stream, Object.assign(attempt, { profile, exchange }));
    } catch (error) {
      return this.fail(profile, stream, error, attempt);
    }
    return this.#step(stream, () => message.read());
  }

  #certified({ transport }: Stream): Promise<readonly Jid[]> {
    return certificateIdentities(transport.peerCertificate, this.#config().tls.clientMailAddresses);
  }

  async respond(profile: SaslProfile, stream: Stream, message: SaslMessage): Promise<void> {
    if (this.#running.has(stream)) return this.#step(stream, () => message.read() ?? Buffer.alloc(0));
    return this.fail(profile, stream, new SaslError('malformed-request', 'No exchange is going on.'));
  }

  async #step(stream: Stream, read: () => Buffer | undefined): Promise<void> {
    const running = this.#running.get(stream) as Running;
    try {
      this.#logins.begin(running);
      const sent = running.exchange.step(read());
      const step = sent instanceof Promise ? await sent : sent;
      if (stream.closed) return;
      if (step.type === 'challenge') running.profile.challenge(stream, step.data);
      else await running.profile.proved(running, step);
    } catch (error) {
      await this.fail(running.profile, stream, error, running);
    }
  }

  /** The proof was right: the last question. Throws a SaslError where the account may not log in. */
  async permit(attempt: LoginAttempt, account: Jid): Promise<void> {
    if (attempt.mechanism !== 'ANONYMOUS') await this.#logins.permit(attempt, account);
  }

  /** The stream is this account's from now on. Throws a SaslError where the password has expired and was not changed, or was changed by somebody else meanwhile. */
  succeeded(attempt: LoginAttempt, identity: Jid): void {
    const { stream, mechanism, expired } = attempt;
    if (expired !== undefined) throw new SaslError(expired.condition, expired.text);
    this.#logins.succeeded(attempt, identity);
    this.#running.delete(stream);
    this.#offers.delete(stream);
    if (attempt.grant !== undefined) stream.access.grant = attempt.grant;
    stream.authenticated(identity, mechanism);
  }

  async fail(profile: SaslProfile, stream: Stream, error: unknown, attempt?: LoginAttempt): Promise<void> {
    const failed = attempt ?? this.#running.get(stream) ?? { stream, mechanism: 'other' };
    this.#running.delete(stream);
    const reason = this.#logins.reasonOf(error, stream);
    const { last } = await this.#logins.failed(failed, reason);
    profile.fail(stream, reason);
    // RFC 6120 §6.4.5
    if (last) stream.error(new StreamError('policy-violation', 'Too many logins failed.'));
  }

  /** Tokens of an identity provider, where this domain has one. */
  #grants(attempt: LoginAttempt): GrantTokens | undefined {
    const tokens = this.#bearer(attempt.stream.domain);
    return (
      tokens && {
        ...tokens,
        check: async (token, claimed) => {
          if (token === '') attempt.asks = true;
          this.#logins.admit(attempt, claimed);
          const verdict = await tokens.check(token, claimed);
          if (verdict.accepted) {
            attempt.account = verdict.account;
            attempt.grant = verdict.grant;
          }
          return verdict;
        },
      }
    );
  }

  #services(
    offers: Offers,
    attempt: LoginAttempt,
    identities: readonly Jid[],
    tokens: SaslTokens | undefined,
  ): SaslServices {
    const { authenticator, tickets } = this.#logins;
    const { stream } = attempt;
    const kerberos = tickets?.at(stream.domain, stream.transport.remoteAddress);
    const noted = (verifier: ScramVerifier | undefined) => {
      attempt.verifier = verifier;
      return verifier;
    };
    return {
      domain: stream.domain,
      offeredMechanisms: offers.mechanisms,
      channelBindingTypes: offers.channelBindingTypes,
      downgradeProtection: true,
      tlsVersion: tlsVersions.get(stream.transport.tls?.protocol ?? ''),
      channelBinding: (type: ChannelBindingType) => stream.transport.channelBinding(type),
      verifyPassword: (account, password) => this.#logins.verify(attempt, account, password).then(() => true),
      scramVerifier: (account, hash) => {
        this.#logins.admit(attempt, account);
        const found = authenticator.verifier(account, hash);
        return found instanceof Promise ? found.then(noted) : noted(found);
      },
      scramRelay: (account, hash) => {
        if (authenticator.relay === undefined) return undefined;
        this.#logins.admit(attempt, account);
        return authenticator.relay(account, hash);
      },
      falseVerifier: (account, hash) => authenticator.falseVerifier(account, hash),
      kerberos: kerberos && {
        begin: () => {
          this.#logins.admit(attempt);
          return kerberos.begin();
        },
        account: (peers) => {
          const account = kerberos.account(peers);
          this.#logins.admit(attempt, account);
          return account;
        },
      },
      externalIdentities: () => identities,
      bearer: this.#grants(attempt),
      tokens: tokens && {
        mechanisms: tokens.mechanisms,
        find: (account, mechanism) => {
          this.#logins.admit(attempt, account);
          return tokens.find(account, mechanism);
        },
      },
    };
  }
}

/** RFC 8446 §4.1.2, RFC 5246 §7.4.1.2: older versions are never spoken. */
const tlsVersions = new Map([
  ['TLSv1.3', '0304'],
  ['TLSv1.2', '0303'],
]);

const NAMES = new Set([...saslMechanisms.map(({ name }) => name), ...tokenMechanisms.keys()]);

/** Names from outside would make metrics without end. */
const labelOf = (name: string): LoginAttempt['mechanism'] =>
  NAMES.has(name) ? (name as LoginAttempt['mechanism']) : 'other';
