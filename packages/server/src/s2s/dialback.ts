import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import { sameKey } from './dialback-key.ts';
import type { IncomingHost } from './incoming-host.ts';
import type { IncomingStream } from './incoming-stream.ts';
import type { KeyRequests } from './key-requests.ts';
import { tlsSuffices } from './policy.ts';
import { domainOf } from './server-role.ts';

/** What `db:result` and `db:verify` are about. */
interface Pair {
  /** The domain at the other end. */
  readonly from: string;
  /** The one that it names as ours. */
  readonly to: string;
  /** Both as they were written, which is how an answer has to have them: not everybody prepares what comes. */
  readonly written: { readonly from: string; readonly to: string };
}

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

  /** Why no key is taken from a domain on this stream, if none is. */
  #objection(stream: Stream, domain: string): StanzaError | undefined {
    const policy = this.#host.policy(domain);
    if (!policy.allow) return new StanzaError('policy-violation', { text: 'Your domain is not welcome here.' });
    if (tlsSuffices(policy, stream.transport.tls?.protocol)) return undefined;
    return new StanzaError('policy-violation', { text: 'The connection is not encrypted well enough.' });
  }

  handle(stream: Stream, element: Element): Awaitable<void> {
    // §3.1: nothing was asked on this stream, so nothing can be answered
    if (element.attr('type') !== undefined) {
      throw new StreamError('policy-violation', 'An answer came that nobody has asked for.');
    }
    const pair = pairOf(element);
    switch (element.name) {
      case 'result':
        return this.#onResult(stream, pair, element.text.trim());
      case 'verify':
        return this.#onVerify(stream, pair, element.text.trim(), element.attr('id'));
    }
    throw new StreamError('unsupported-stanza-type');
  }

  // --- as the receiving server ------------------------------------------------------------------------------------

  /** Somebody wants to speak for a domain (§2.2.1). */
  async #onResult(stream: Stream, pair: Pair, key: string): Promise<void> {
    const incoming = this.#incoming(stream);
    const refused = this.#refusal(incoming, pair);
    if (refused !== undefined) return this.#refuse(stream, pair, refused);
    if (incoming.proved.has(pair.from)) return this.#accept(stream, pair);
    // what it has shown already is better than any key
    const { id } = stream;
    const verdict = await incoming.verdictFor(pair.from);
    if (stream.closed || stream.id !== id) return;
    if (verdict.good) {
      incoming.prove(pair.from, 'certificate');
      return this.#accept(stream, pair);
    }
    if (this.#host.policy(pair.from).authentication === 'certificate') {
      return this.#refuse(stream, pair, new StanzaError('not-authorized', { text: `${sentence(verdict.words)}` }));
    }
    // the stream goes on meanwhile: other domains are not to wait for the server of this one
    incoming.verifying++;
    void this.#ask(incoming, pair, key).finally(() => {
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
    return new StanzaError('resource-constraint', { text: 'Too many domains on one stream: begin another.' });
  }

  async #ask(incoming: IncomingStream, pair: Pair, key: string): Promise<void> {
    const { stream } = incoming;
    const { id } = stream;
    const answer = await this.#requests.ask(stream, { receiving: pair.to, originating: pair.from, streamId: id, key });
    // a key is good for the stream that it was sent on, and for no other that took its place on the connection
    if (stream.closed || stream.id !== id) return;
    if (answer instanceof StanzaError) return this.#refuse(stream, pair, answer);
    if (answer) {
      incoming.prove(pair.from, 'dialback');
      return this.#accept(stream, pair);
    }
    const address = stream.transport.remoteAddress;
    this.#host.metrics.federationProofs.with({ direction: 'in', proof: 'refused' }).add(1);
    this.#host.log.flood('s2s.forged', { remote: pair.from, local: pair.to, address });
    if (incoming.proved.size > 0) return this.#refuse(stream, pair, new StanzaError('forbidden'));
    stream.send(answerText('result', pair, { type: 'invalid' }));
    stream.close('the dialback key was not valid');
  }

  #accept(stream: Stream, pair: Pair): void {
    stream.send(answerText('result', pair, { type: 'valid' }));
  }

  #refuse(stream: Stream, pair: Pair, error: StanzaError): void {
    const { condition, text: reason = (error.cause as Error | undefined)?.message } = error;
    const address = stream.transport.remoteAddress;
    this.#host.metrics.federationProofs.with({ direction: 'in', proof: 'refused' }).add(1);
    this.#host.log.flood('s2s.refused', { remote: pair.from, local: pair.to, address, condition, reason });
    stream.send(answerText('result', pair, { type: 'error' }, error));
  }

  // --- as the authoritative server --------------------------------------------------------------------------------

  /** Somebody asks whether a key is one of ours (§2.2.2): any node can tell. */
  #onVerify(stream: Stream, pair: Pair, key: string, id: string | undefined): void {
    if (id === undefined) throw new StreamError('bad-format', 'A key has no id of a stream.');
    const served = this.#host.serves(pair.to);
    const error = served ? this.#objection(stream, pair.from) : new StanzaError('item-not-found');
    const isOurs = () => sameKey(key, this.#host.dialbackKey(pair.from, pair.to, id));
    const type = error === undefined ? (isOurs() ? 'valid' : 'invalid') : 'error';
    stream.send(answerText('verify', pair, { id, type }, error));
  }
}

function pairOf(element: Element): Pair {
  const written = { from: element.attr('from') ?? '', to: element.attr('to') ?? '' };
  const [from, to] = [domainOf(written.from), domainOf(written.to)];
  if (from === undefined || to === undefined) {
    throw new StreamError('improper-addressing', 'A key needs a "from" and a "to" that are domains.');
  }
  return { from, to, written };
}

/** Some know no other prefix (§2), and have the error in the content namespace (§2.4.2). */
function answerText(
  name: 'result' | 'verify',
  { written: { from, to } }: Pair,
  attributes: { id?: string; type: string },
  error?: StanzaError,
): string {
  const open = Element.of(name, '', { from: to, to: from, ...attributes }).toString();
  const start = `<db:${open.slice(1, -2)}`;
  return error === undefined ? `${start}/>` : `${start}>${error.toElement().toString(NS.client)}</db:${name}>`;
}

const sentence = (words: string): string => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
