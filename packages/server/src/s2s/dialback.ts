import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { CertificateVerdict } from './certificate-verdict.ts';
import type { IncomingHost } from './incoming-host.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { answerToVerify, keyAnswer, keyObjection, type Pair, pairOf } from './key-answer.ts';
import type { KeyRequests } from './key-requests.ts';
import { checkHeard } from './unread.ts';

/** Server Dialback on streams that others began (XEP-0220 §2.2): whoever wants to speak, and whoever asks about keys. */
export class Dialback implements StreamFeature {
  readonly ns = NS.dialback;
  readonly #host: IncomingHost;
  readonly #incoming: (stream: Stream) => IncomingStream;
  readonly #requests: KeyRequests;

  constructor(host: IncomingHost, requests: KeyRequests, incoming: (stream: Stream) => IncomingStream) {
    this.#host = host;
    this.#requests = requests;
    this.#incoming = incoming;
  }

  /** §2.3.2, where a key could be enough: errors do not end the stream. It has a namespace of its own. */
  offer(stream: Stream): Element | undefined {
    const { claimed } = this.#incoming(stream);
    if (claimed !== undefined && this.#objection(stream, claimed) !== undefined) return undefined;
    return Element.of('dialback', NS.dialbackFeature, {}, Element.of('errors', NS.dialbackFeature));
  }

  #objection(stream: Stream, domain: string): StanzaError | undefined {
    return keyObjection(this.#host, domain, stream.transport.tls?.protocol);
  }

  handle(stream: Stream, element: Element): Awaitable<void> {
    // §3.1: nothing was asked on this stream, so nothing can be answered
    if (element.attr('type') !== undefined) {
      throw new StreamError('policy-violation', 'An answer came that nobody has asked for.');
    }
    checkHeard(stream.transport.buffered);
    switch (element.name) {
      case 'result':
        return this.#onResult(stream, pairOf(element), element.text.trim());
      case 'verify':
        return stream.send(answerToVerify(this.#host, element, stream.transport.tls?.protocol));
    }
    throw new StreamError('unsupported-stanza-type');
  }

  /** Somebody wants to speak for a domain (§2.2.1). */
  async #onResult(stream: Stream, pair: Pair, key: string): Promise<void> {
    const incoming = this.#incoming(stream);
    const refused = this.#refusal(incoming, pair);
    if (refused !== undefined) return this.#refuse(stream, pair, refused);
    if (incoming.proved.has(pair.from)) return this.#accept(incoming, pair);
    // what it has shown already is better than any key
    const { id } = stream;
    const verdict = await incoming.verdictFor(pair.from);
    if (stream.closed || stream.id !== id) return;
    if (verdict.good) {
      incoming.prove(pair.from, verdict.by ?? 'certificate');
      return this.#accept(incoming, pair);
    }
    if (this.#host.policy(pair.from).authentication === 'certificate') {
      return this.#refuse(stream, pair, new StanzaError('not-authorized', { text: `${sentence(verdict.words)}` }));
    }
    // the stream goes on meanwhile: other domains are not to wait for the server of this one
    incoming.verifying++;
    void this.#ask(incoming, pair, key, verdict).finally(() => {
      incoming.verifying--;
    });
  }

  #refusal(incoming: IncomingStream, { from, to }: Pair): StanzaError | undefined {
    const { stream, proved, verifying } = incoming;
    if (!this.#host.serves(to)) return new StanzaError('item-not-found');
    if (this.#host.serves(from)) return new StanzaError('not-acceptable', { text: 'This domain is served here.' });
    const objection = this.#objection(stream, from);
    if (objection !== undefined || proved.has(from)) return objection;
    if (proved.size + verifying < this.#host.config().limits.domainsPerStream) return undefined;
    const limit = 'federation-domains-per-stream';
    this.#host.metrics.limitsExceeded.with({ limit }).add(1);
    this.#host.log.flood('limit.exceeded', { limit, remote: from, address: stream.transport.remoteAddress });
    return new StanzaError('resource-constraint', { text: 'Too many domains on one stream: begin another.' });
  }

  async #ask(incoming: IncomingStream, pair: Pair, key: string, { final }: CertificateVerdict): Promise<void> {
    const { stream } = incoming;
    const { id } = stream;
    const answer = await this.#requests.ask(stream, { receiving: pair.to, originating: pair.from, streamId: id, key });
    // a key is good for the stream that it was sent on, and for no other that took its place on the connection
    if (stream.closed || stream.id !== id) return;
    if (answer instanceof StanzaError) return this.#refuse(stream, pair, answer);
    if (answer) {
      if (final) incoming.elsewhere.add(pair.from);
      incoming.prove(pair.from, 'dialback');
      return this.#accept(incoming, pair);
    }
    const address = stream.transport.remoteAddress;
    this.#host.peerRows.proof(pair.from, 'in', 'refused');
    this.#host.log.flood('s2s.forged', { remote: pair.from, local: pair.to, address });
    if (incoming.proved.size > 0) return this.#refuse(stream, pair, new StanzaError('forbidden'));
    stream.send(keyAnswer('result', pair, { type: 'invalid' }));
    stream.close('the dialback key was not valid');
  }

  #accept(incoming: IncomingStream, pair: Pair): void {
    incoming.stream.send(keyAnswer('result', pair, { type: 'valid' }));
    incoming.returns?.allow(pair.to, pair.from);
  }

  #refuse(stream: Stream, pair: Pair, error: StanzaError): void {
    const { condition, text: reason = (error.cause as Error | undefined)?.message } = error;
    const address = stream.transport.remoteAddress;
    this.#host.peerRows.proof(pair.from, 'in', 'refused');
    this.#host.log.flood('s2s.refused', { remote: pair.from, local: pair.to, address, condition, reason });
    stream.send(keyAnswer('result', pair, { type: 'error' }, error));
  }
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
