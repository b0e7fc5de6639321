import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { decodeSaslData, encodeSaslData } from '@parley/xmpp/sasl/mechanisms';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { StreamFeature } from './features.ts';
import type { LoginAttempt } from './logins.ts';
import { MadeBefore } from './made-before.ts';
import type { SaslAttempts, SaslMessage, SaslProfile, SaslProof } from './sasl-attempts.ts';
import type { Stream } from './stream.ts';

/** SASL on a client's stream as RFC 6120 §6 has it. */
export class Sasl implements StreamFeature, SaslProfile {
  readonly ns = NS.sasl;
  readonly #attempts: SaslAttempts;
  readonly #made = new MadeBefore<Element>();

  constructor(attempts: SaslAttempts) {
    this.#attempts = attempts;
  }

  advertise(stream: Stream): Element | undefined {
    if (stream.identity !== undefined) return undefined;
    const { mechanisms } = this.#attempts.offer(stream);
    if (mechanisms.length === 0) return undefined;
    const { ticketHost } = this.#attempts;
    const tells = ticketHost !== '' && mechanisms.includes('GSSAPI');
    return this.#made.of([tells && ticketHost, ...mechanisms], () =>
      Element.of(
        'mechanisms',
        NS.sasl,
        {},
        ...mechanisms.map((name) => Element.of('mechanism', NS.sasl, {}, name)),
        ...(tells ? [Element.of('hostname', NS.domainBasedName, {}, ticketHost)] : []), // XEP-0233 §2
      ),
    );
  }

  async handle(stream: Stream, element: Element): Promise<void> {
    this.#attempts.enter(this, stream);
    switch (element.name) {
      case 'auth':
        return this.#attempts.begin(this, stream, element.attr('mechanism') ?? '', messageIn(element));
      case 'response':
        return this.#attempts.respond(this, stream, messageIn(element));
      case 'abort': // RFC 6120 §6.4.4
        return this.#attempts.fail(this, stream, new SaslError('aborted'));
    }
    throw new StreamError('unsupported-stanza-type');
  }

  // --- SaslProfile ------------------------------------------------------------------------------------------------

  challenge(stream: Stream, data: Buffer): void {
    stream.sendElement(reply('challenge', data));
  }

  async proved(attempt: LoginAttempt, { identity, data }: SaslProof): Promise<void> {
    const { stream } = attempt;
    await this.#attempts.permit(attempt, identity);
    if (stream.closed) return;
    this.#attempts.succeeded(attempt, identity);
    stream.restart();
    stream.sendElement(reply('success', data)); // RFC 6120 §6.4.6
  }

  fail(stream: Stream, reason: SaslError): void {
    stream.sendElement(reason.toElement());
  }
}

/** What a stream says of channel binding, beside the mechanisms of any profile (XEP-0440 §2). */
export function saslChannelBinding(attempts: SaslAttempts): StreamFeature {
  const made = new MadeBefore<Element>();
  return {
    ns: NS.saslChannelBinding,
    advertise(stream) {
      const types = stream.identity === undefined ? (attempts.offered(stream)?.channelBindingTypes ?? []) : [];
      if (types.length === 0) return undefined;
      return made.of(types, () => {
        const children = types.map((type) => Element.of('channel-binding', NS.saslChannelBinding, { type }));
        return Element.of('sasl-channel-binding', NS.saslChannelBinding, {}, ...children);
      });
    },
  };
}

const messageIn = (element: Element): SaslMessage => ({
  text: element.text,
  read() {
    if (element.elements.length > 0) throw new SaslError('malformed-request');
    return decodeSaslData(element.text);
  },
});

function reply(name: 'challenge' | 'success', data: Buffer | undefined): Element {
  const text = encodeSaslData(data);
  return Element.of(name, NS.sasl, {}, ...(text === '' ? [] : [text]));
}
