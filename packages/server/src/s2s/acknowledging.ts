import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { StreamFeature } from '../stream/features.ts';
import type { Stream } from '../stream/stream.ts';
import type { Handled } from './handled.ts';
import type { IncomingStream } from './incoming-stream.ts';

/** Whoever asks gets an answer after this time at the latest, though something is not done with. */
const LATEST_MS = 5000;
/** Questions of one stream that wait for an answer. */
const MOST_QUESTIONS = 10;

/** XEP-0198 for other servers: they learn what was taken of what they have sent. A stream is never resumed. */
export class Acknowledging implements StreamFeature {
  readonly ns = NS.streamManagement;
  readonly #incoming: (stream: Stream) => IncomingStream;
  readonly #questions = new WeakMap<Stream, number>();

  constructor(incoming: (stream: Stream) => IncomingStream) {
    this.#incoming = incoming;
  }

  /** Also before authentication, where dialback is the only way: no features come after that. */
  advertise(stream: Stream): Element | undefined {
    const last = stream.identity !== undefined || this.#incoming(stream).verdict?.good !== true;
    const safe = stream.encrypted && last && this.#incoming(stream).handled === undefined;
    return safe ? Element.of('sm', NS.streamManagement) : undefined;
  }

  handle(stream: Stream, element: Element): void {
    const incoming = this.#incoming(stream);
    if (element.name === 'enable') {
      if (stream.identity === undefined || incoming.handled !== undefined) fail(stream, 'unexpected-request');
      else {
        incoming.acknowledge();
        stream.sendElement(Element.of('enabled', NS.streamManagement));
      }
    } else if (element.name === 'resume') fail(stream, 'item-not-found');
    else if (element.name === 'r' && incoming.handled !== undefined) this.#answer(stream, incoming.handled);
    else if (element.name !== 'a') throw new StreamError('unsupported-stanza-type');
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
      stream.sendElement(Element.of('a', NS.streamManagement, { h: handled.count >>> 0 }));
    };
    const timer = setTimeout(tell, LATEST_MS).unref();
    handled.whenCaughtUp(tell);
  }
}

function fail(stream: Stream, condition: string): void {
  stream.sendElement(Element.of('failed', NS.streamManagement, {}, Element.of(condition, NS.stanzas)));
}
