import type { Metrics } from '@parley/metrics/registry';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Log } from '../log.ts';
import type { Awaitable } from '../pipeline.ts';
import { readHandled } from '../session/handled-number.ts';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { Handled } from './handled.ts';
import type { IncomingStream } from './incoming-stream.ts';
import { Receipts } from './receipts.ts';
import type { RememberedStreams } from './remembered-streams.ts';
import { checkHeard, isUnheard } from './unread.ts';

export interface AcknowledgingHost {
  readonly remembered: Pick<RememberedStreams, 'begin' | 'resume' | 'idOf'>;
  readonly metrics: Pick<Metrics, 'federationResumptions'>;
  readonly log: Log;
}

/** XEP-0198 for other servers: they learn what was taken of what they have sent, and resume streams that were lost. */
export class Acknowledging implements StreamFeature {
  readonly ns = NS.streamManagement;
  readonly #incoming: (stream: Stream) => IncomingStream;
  readonly #host: AcknowledgingHost;
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
    const { handled } = incoming;
    switch (element.name) {
      case 'enable':
      case 'resume':
        checkHeard(stream.transport.buffered);
        if (stream.identity === undefined || handled !== undefined) return fail(stream, 'unexpected-request');
        return element.name === 'enable' ? this.#enable(incoming, element) : this.#resume(incoming, element);
      case 'r':
        if (handled === undefined) break;
        if (isUnheard(stream.transport.buffered)) return;
        return this.#receipts.get(stream)?.onRequest(handled);
      case 'a':
        return incoming.returns?.outstanding?.onAcknowledgement(element);
    }
    throw new StreamError('unsupported-stanza-type');
  }

  /** §3 */
  #enable(incoming: IncomingStream, element: Element): Awaitable<void> {
    const resumable = /^(true|1)$/.test(element.attr('resume') ?? '');
    // what goes out on it is in queues of its own
    if (resumable && incoming.returns === undefined) return this.#remember(incoming, Number(element.attr('max')));
    this.#begin(incoming, Element.of('enabled', NS.streamManagement));
  }

  /** The other side learns of it before anything else goes out. */
  #begin(incoming: IncomingStream, answer: Element, handled?: Handled): void {
    const { stream } = incoming;
    stream.sendElement(answer);
    this.#receipts.set(stream, new Receipts((receipt) => stream.sendElement(receipt)));
    incoming.acknowledge(handled);
  }

  async #remember(incoming: IncomingStream, asked: number): Promise<void> {
    const { stream } = incoming;
    const remembered = await this.#host.remembered.begin(stream, asked);
    if (stream.closed) return;
    const terms =
      remembered === undefined
        ? {}
        : { id: this.#host.remembered.idOf(stream, remembered.sid), resume: 'true', max: remembered.seconds };
    this.#begin(incoming, Element.of('enabled', NS.streamManagement, terms), remembered);
  }

  /** §5 */
  async #resume(incoming: IncomingStream, element: Element): Promise<void> {
    const { stream } = incoming;
    const { remembered, log, metrics } = this.#host;
    const previd = element.attr('previd') ?? '';
    const h = readHandled(element);
    if (incoming.returns !== undefined) return fail(stream, 'feature-not-implemented');
    if (h === undefined) return fail(stream, 'bad-request');
    const resumed = await remembered.resume(stream, previd, h);
    if (stream.closed) {
      resumed?.stream.ended(true);
      return;
    }
    const outcome = resumed === undefined ? 'failed' : 'resumed';
    metrics.federationResumptions.with({ direction: 'in', outcome }).add(1);
    if (resumed === undefined) return fail(stream, 'item-not-found');
    const handled = resumed.stream.told();
    this.#begin(incoming, Element.of('resumed', NS.streamManagement, { h: handled, previd }), resumed.stream);
    log.info('s2s.resumed', { remote: stream.identity?.domain, local: stream.domain, from: resumed.from, handled });
  }
}

function fail(stream: Stream, condition: string): void {
  stream.sendElement(Element.of('failed', NS.streamManagement, {}, Element.of(condition, NS.stanzas)));
}
