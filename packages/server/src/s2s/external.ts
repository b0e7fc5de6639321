import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { decodeSaslData } from '@parley/xmpp/sasl/mechanisms';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { domainOf } from './server-role.ts';

const MOST_FAILURES = 3;

/** SASL EXTERNAL between servers (XEP-0178 §3): offered to whoever has shown a certificate of the domain that it claims. */
export class PeerSasl implements StreamFeature {
  readonly ns = NS.sasl;
  readonly #incoming: (stream: Stream) => IncomingStream;
  /** Those who were asked for the rest. */
  readonly #asked = new WeakSet<Stream>();
  readonly #failures = new WeakMap<Stream, number>();

  constructor(incoming: (stream: Stream) => IncomingStream) {
    this.#incoming = incoming;
  }

  advertise(stream: Stream): Element | undefined {
    if (stream.identity !== undefined || !this.#incoming(stream).verdict?.good) return undefined;
    return Element.of('mechanisms', NS.sasl, {}, Element.of('mechanism', NS.sasl, {}, 'EXTERNAL'));
  }

  handle(stream: Stream, element: Element): Awaitable<void> {
    if (stream.identity !== undefined) throw new StreamError('policy-violation', 'This stream has authenticated.');
    try {
      this.#step(stream, element);
    } catch (error) {
      if (!(error instanceof SaslError)) throw error;
      const failures = (this.#failures.get(stream) ?? 0) + 1;
      this.#failures.set(stream, failures);
      stream.sendElement(error.toElement());
      if (failures >= MOST_FAILURES) throw new StreamError('policy-violation', 'Too many attempts failed.');
    }
  }

  #step(stream: Stream, element: Element): void {
    const incoming = this.#incoming(stream);
    const asked = this.#asked.delete(stream);
    switch (element.name) {
      case 'auth': {
        if (asked) throw new SaslError('malformed-request', 'Another exchange is going on.');
        if (element.attr('mechanism') !== 'EXTERNAL') throw new SaslError('invalid-mechanism');
        if (!incoming.verdict?.good) throw new SaslError('not-authorized', incoming.verdict?.words);
        const data = decodeSaslData(element.text);
        if (data === undefined) {
          this.#asked.add(stream);
          stream.sendElement(Element.of('challenge', NS.sasl));
        } else {
          this.#succeed(incoming, data);
        }
        break;
      }
      case 'response':
        if (!asked) throw new SaslError('malformed-request', 'No exchange is going on.');
        this.#succeed(incoming, decodeSaslData(element.text) ?? Buffer.alloc(0));
        break;
      case 'abort':
        throw new SaslError('aborted');
      default:
        throw new StreamError('unsupported-stanza-type');
    }
  }

  /** Who it wants to be is left out, or the same as in its header. */
  #succeed(incoming: IncomingStream, identity: Buffer): void {
    const { stream, claimed } = incoming;
    if (claimed === undefined) throw new SaslError('not-authorized', 'The stream has no "from".');
    if (identity.length > 0 && domainOf(identity.toString('utf8')) !== claimed) {
      throw new SaslError('invalid-authzid', 'The stream is from another domain.');
    }
    incoming.prove(claimed, incoming.verdict?.by ?? 'certificate');
    stream.restart();
    stream.sendElement(Element.of('success', NS.sasl));
  }
}
