import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { IncomingHost } from './incoming-host.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { tlsSuffices } from './policy.ts';
import { readLimits } from './stream-limits.ts';

/** XEP-0288 on streams that others began: before it proves who it is, the other side asks for stanzas in both directions. */
export class Bidirectional implements StreamFeature {
  readonly ns = NS.bidi;
  readonly #host: Pick<IncomingHost, 'policy'>;
  readonly #incoming: (stream: Stream) => IncomingStream;

  constructor(host: Pick<IncomingHost, 'policy'>, incoming: (stream: Stream) => IncomingStream) {
    this.#host = host;
    this.#incoming = incoming;
  }

  /** It has a namespace of its own. */
  offer(stream: Stream): Element | undefined {
    return this.#possible(stream) ? Element.of('bidi', NS.bidiFeature) : undefined;
  }

  /** Not before encryption, where that is asked for: it would have to be asked for anew behind it (§2.1). */
  #possible(stream: Stream): boolean {
    const policy = this.#host.policy(this.#incoming(stream).claimed ?? '');
    const safe = tlsSuffices(policy, stream.transport.tls?.protocol);
    return stream.identity === undefined && policy.allow && policy.bidirectional !== 'never' && safe;
  }

  handle(stream: Stream, element: Element): void {
    if (element.name !== 'bidi') throw new StreamError('unsupported-stanza-type');
    if (!this.#possible(stream)) throw new StreamError('policy-violation', 'Nothing goes back on this stream.');
    this.#incoming(stream).bothWays = readLimits(element);
  }
}
