import type { Metrics } from '@parley/metrics/registry';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Log } from '../log.ts';
import type { Awaitable } from '../pipeline.ts';
import { readHandled } from '../session/handled-number.ts';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { Receipts } from './receipts.ts';

/** XEP-0198 for other servers: they learn what was taken of what they have sent, and resume streams that were lost. */
export class Acknowledging implements StreamFeature {
  readonly ns = NS.streamManagement;
  readonly #incoming: (stream: Stream) => IncomingStream;
  readonly #receipts = new WeakMap<Stream, Receipts>();

  constructor(incoming: (stream: Stream) => IncomingStream, host: AcknowledgingHost) {
    this.#incoming = incoming;
    this.#host = host;
  }

  /** Also before authentication, where dialback is the only way: no features come after that. */
  advertise(stream: Stream): Element | undefined {
    const last = stream.identity !== undefined || this.#incoming(stream).verdict?.good !== true;
    const safe = stream.encrypted && last && this.#incoming(stream).handled === undefined;
    return safe ? Element.of('sm', NS.streamManagement) : undefined;
  }

  handle(stream: Stream, element: Element): Awaitable<void> {
    const incoming = this.#incoming(stream);
    if (element.name === 'enable') {
      if (stream.identity === undefined || incoming.handled !== undefined) fail(stream, 'unexpected-request');
      else {
        stream.sendElement(Element.of('enabled', NS.streamManagement));
        incoming.acknowledge();
        this.#receipts.set(stream, new Receipts((answer) => stream.sendElement(answer)));
      }
    } else if (element.name === 'resume') fail(stream, 'item-not-found');
    else if (element.name === 'r' && incoming.handled !== undefined) {
      this.#receipts.get(stream)?.onRequest(incoming.handled);
    } else if (element.name === 'a') incoming.returns?.outstanding?.onAcknowledgement(element);
    else throw new StreamError('unsupported-stanza-type');
  }
}

function fail(stream: Stream, condition: string): void {
  stream.sendElement(Element.of('failed', NS.streamManagement, {}, Element.of(condition, NS.stanzas)));
}
