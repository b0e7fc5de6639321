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
import type { RememberedStreams } from './remembered-streams.ts';

export interface AcknowledgingHost {
  readonly remembered: Pick<RememberedStreams, 'begin' | 'resume' | 'idOf'>;
  readonly metrics: Pick<Metrics, 'federationResumptions'>;
  readonly log: Log;
}

/** Whoever asks gets an answer after this time at the latest, though something is not done with. */
const LATEST_MS = 5000;
/** Questions of one stream that wait for an answer. */
const MOST_QUESTIONS = 10;

/** XEP-0198 for other servers: they learn what was taken of what they have sent, and resume streams that were lost. */
export class Acknowledging implements StreamFeature {
  readonly ns = NS.streamManagement;
  readonly #incoming: (stream: Stream) => IncomingStream;
  readonly #host: AcknowledgingHost;
  readonly #questions = new WeakMap<Stream, number>();

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
        if (stream.identity === undefined || handled !== undefined) return fail(stream, 'unexpected-request');
        return element.name === 'enable' ? this.#enable(incoming, element) : this.#resume(incoming, element);
      case 'r':
        if (handled !== undefined) return this.#answer(stream, handled);
        break;
      case 'a':
        return;
    }
    throw new StreamError('unsupported-stanza-type');
  }

  /** §3 */
  #enable(incoming: IncomingStream, element: Element): Awaitable<void> {
    if (/^(true|1)$/.test(element.attr('resume') ?? '')) return this.#remember(incoming, Number(element.attr('max')));
    incoming.acknowledge();
    incoming.stream.sendElement(Element.of('enabled', NS.streamManagement));
  }

  async #remember(incoming: IncomingStream, asked: number): Promise<void> {
    const { stream } = incoming;
    const remembered = await this.#host.remembered.begin(stream, asked);
    if (stream.closed) return;
    incoming.acknowledge(remembered);
    const terms =
      remembered === undefined
        ? {}
        : { id: this.#host.remembered.idOf(stream, remembered.sid), resume: 'true', max: remembered.seconds };
    stream.sendElement(Element.of('enabled', NS.streamManagement, terms));
  }

  /** §5 */
  async #resume(incoming: IncomingStream, element: Element): Promise<void> {
    const { stream } = incoming;
    const { remembered, log, metrics } = this.#host;
    const previd = element.attr('previd') ?? '';
    const h = readHandled(element);
    if (h === undefined) return fail(stream, 'bad-request');
    const resumed = await remembered.resume(stream, previd, h);
    if (stream.closed) {
      resumed?.stream.ended(true);
      return;
    }
    const outcome = resumed === undefined ? 'failed' : 'resumed';
    metrics.federationResumptions.with({ direction: 'in', outcome }).add(1);
    if (resumed === undefined) return fail(stream, 'item-not-found');
    incoming.acknowledge(resumed.stream);
    const handled = resumed.stream.told();
    stream.sendElement(Element.of('resumed', NS.streamManagement, { h: handled, previd }));
    log.info('s2s.resumed', { remote: stream.identity?.domain, local: stream.domain, from: resumed.from, handled });
  }

  #answer(stream: Stream, handled: Handled): void {
    const waiting = this.#questions.get(stream) ?? 0;
    if (waiting >= MOST_QUESTIONS) return; // the answers to the others will do
    this.#questions.set(stream, waiting + 1);
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      clearTimeout(timer);
      this.#questions.set(stream, (this.#questions.get(stream) ?? 1) - 1);
      stream.sendElement(Element.of('a', NS.streamManagement, { h: handled.told() }));
    };
    const late = () => {
      timer = setTimeout(tell, LATEST_MS).unref(); // the keyspace may take no part of it, either
      handled.secured(tell);
    };
    let timer = setTimeout(late, LATEST_MS).unref();
    handled.whenCaughtUp(() => handled.secured(tell));
  }
}

function fail(stream: Stream, condition: string): void {
  stream.sendElement(Element.of('failed', NS.streamManagement, {}, Element.of(condition, NS.stanzas)));
}
