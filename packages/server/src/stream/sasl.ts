import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { claimedAccount } from '@parley/xmpp/sasl/claimed-account';
import type { ChannelBindingType, SaslExchange, SaslServices, SaslStep } from '@parley/xmpp/sasl/mechanism';
import { decodeSaslData, encodeSaslData, saslMechanisms, startSasl } from '@parley/xmpp/sasl/mechanisms';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Configuration } from '../config/schema.ts';
import type { Admission } from './admission.ts';
import { certificateIdentities } from './client-certificate.ts';
import type { StreamFeature } from './features.ts';
import type { LoginAttempt, Logins } from './logins.ts';
import { type Offers, offersOf } from './sasl-offers.ts';
import type { Stream } from './stream.ts';

/** An attempt under way. */
interface Running extends LoginAttempt {
  readonly exchange: SaslExchange;
}

/** SASL on a client's stream (RFC 6120 §6), and what it says of channel binding (XEP-0440). */
export class Sasl implements StreamFeature {
  readonly ns = NS.sasl;
  readonly #logins: Logins;
  readonly #admission: Admission;
  readonly #config: () => Configuration;
  readonly #offers = new WeakMap<Stream, Offers>();
  readonly #running = new WeakMap<Stream, Running>();

  constructor(logins: Logins, admission: Admission, config: () => Configuration) {
    this.#logins = logins;
    this.#admission = admission;
    this.#config = config;
  }

  advertise(stream: Stream): Element | undefined {
    if (stream.identity !== undefined) return undefined;
    const { mechanisms } = this.#offer(stream);
    if (mechanisms.length === 0) return undefined;
    return Element.of(
      'mechanisms',
      NS.sasl,
      {},
      ...mechanisms.map((name) => Element.of('mechanism', NS.sasl, {}, name)),
    );
  }

  /** The feature that stands beside the mechanisms (XEP-0440 §2). */
  readonly channelBinding: StreamFeature = {
    ns: NS.saslChannelBinding,
    advertise: (stream) => {
      const types = stream.identity === undefined ? (this.#offers.get(stream)?.channelBindingTypes ?? []) : [];
      if (types.length === 0) return undefined;
      const children = types.map((type) => Element.of('channel-binding', NS.saslChannelBinding, { type }));
      return Element.of('sasl-channel-binding', NS.saslChannelBinding, {}, ...children);
    },
  };

  /** What this stream offers: fixed each time it is advertised, so that what is checked is what was said. */
  #offer(stream: Stream): Offers {
    const offers = offersOf(stream, this.#config(), this.#logins.authenticator.mechanisms(stream.domain));
    this.#offers.set(stream, offers);
    return offers;
  }

  handle(stream: Stream, element: Element): Promise<void> {
    // RFC 6120 §6.4: one identity a stream, proved once
    if (stream.identity !== undefined) throw new StreamError('policy-violation', 'This stream has authenticated.');
    switch (element.name) {
      case 'auth':
        return this.#auth(stream, element);
      case 'response':
        return this.#respond(stream, element);
      case 'abort': // RFC 6120 §6.4.4
        return this.#fail(stream, new SaslError('aborted'));
    }
    throw new StreamError('unsupported-stanza-type');
  }

  async #auth(stream: Stream, element: Element): Promise<void> {
    const name = element.attr('mechanism') ?? '';
    const turn = this.#admission.login(stream, () => claimedAccount(name, element.text, stream.domain));
    if (turn !== undefined) await turn;
    if (stream.closed) return;
    if (this.#running.has(stream)) {
      return this.#fail(stream, new SaslError('malformed-request', 'Another exchange is going on.'));
    }
    const attempt: LoginAttempt = { stream, mechanism: labelOf(name) };
    try {
      const offers = this.#offers.get(stream) ?? this.#offer(stream);
      if (offers.needTls.includes(name)) throw new SaslError('encryption-required'); // RFC 6120 §6.5.4
      const identities = name === 'EXTERNAL' ? await this.#certified(stream) : [];
      if (stream.closed) return;
      const exchange = startSasl(name, this.#services(offers, attempt, identities));
      this.#running.set(stream, Object.assign(attempt, { exchange }));
    } catch (error) {
      return this.#fail(stream, error, attempt);
    }
    return this.#step(stream, element);
  }

  #certified({ transport }: Stream): Promise<readonly Jid[]> {
    return certificateIdentities(transport.peerCertificate, this.#config().tls.clientMailAddresses);
  }

  async #respond(stream: Stream, element: Element): Promise<void> {
    if (this.#running.has(stream)) return this.#step(stream, element);
    return this.#fail(stream, new SaslError('malformed-request', 'No exchange is going on.'));
  }

  async #step(stream: Stream, element: Element): Promise<void> {
    const running = this.#running.get(stream) as Running;
    try {
      if (element.elements.length > 0) throw new SaslError('malformed-request');
      this.#logins.begin(running);
      const data = decodeSaslData(element.text);
      const sent = running.exchange.step(element.name === 'response' ? (data ?? Buffer.alloc(0)) : data);
      const step = sent instanceof Promise ? await sent : sent;
      if (stream.closed) return;
      if (step.type === 'challenge') stream.sendElement(reply('challenge', step.data));
      else await this.#succeed(running, step);
    } catch (error) {
      await this.#fail(stream, error, running);
    }
  }

  async #succeed(attempt: LoginAttempt, { identity, data }: SaslStep & { type: 'success' }): Promise<void> {
    const { stream, mechanism } = attempt;
    if (mechanism !== 'ANONYMOUS') await this.#logins.permit(attempt, identity);
    if (stream.closed) return;
    this.#running.delete(stream);
    this.#offers.delete(stream);
    this.#logins.succeeded(attempt, identity);
    stream.authenticated(identity, mechanism);
    stream.restart();
    stream.sendElement(reply('success', data)); // RFC 6120 §6.4.6
  }

  async #fail(stream: Stream, error: unknown, attempt?: LoginAttempt): Promise<void> {
    const failed = attempt ?? this.#running.get(stream) ?? { stream, mechanism: 'other' };
    this.#running.delete(stream);
    const reason = this.#logins.reasonOf(error, stream);
    const { last } = await this.#logins.failed(failed, reason);
    stream.sendElement(reason.toElement());
    // RFC 6120 §6.4.5
    if (last) stream.error(new StreamError('policy-violation', 'Too many logins failed.'));
  }

  #services(offers: Offers, attempt: LoginAttempt, identities: readonly Jid[]): SaslServices {
    const { authenticator } = this.#logins;
    const { stream } = attempt;
    return {
      domain: stream.domain,
      offeredMechanisms: offers.mechanisms,
      channelBindingTypes: offers.channelBindingTypes,
      downgradeProtection: true,
      channelBinding: (type: ChannelBindingType) => stream.transport.channelBinding(type),
      verifyPassword: (account, password) => this.#logins.verify(attempt, account, password).then(() => true),
      scramVerifier: (account, hash) => {
        this.#logins.admit(attempt, account);
        return authenticator.verifier(account, hash);
      },
      scramRelay: (account, hash) => {
        if (authenticator.relay === undefined) return undefined;
        this.#logins.admit(attempt, account);
        return authenticator.relay(account, hash);
      },
      falseVerifier: (account, hash) => authenticator.falseVerifier(account, hash),
      externalIdentities: () => identities,
    };
  }
}

function reply(name: 'challenge' | 'success', data: Buffer | undefined): Element {
  const text = encodeSaslData(data);
  return Element.of(name, NS.sasl, {}, ...(text === '' ? [] : [text]));
}

const NAMES = new Set(saslMechanisms.map(({ name }) => name));

/** Names from outside would make metrics without end. */
const labelOf = (name: string): LoginAttempt['mechanism'] =>
  NAMES.has(name) ? (name as LoginAttempt['mechanism']) : 'other';
