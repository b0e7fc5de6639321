import type { Stanza } from '@parley/xmpp/stanza';
import { arrival, ignoreArrivals, watchArrivals } from './arrival.ts';
import type { SpanSource } from './span-source.ts';
import { Trace } from './trace.ts';
import { parseTraceparent } from './traceparent.ts';

/** Types that RFC 6120 and RFC 6121 know: others are whatever somebody has written. */
const TYPES = new Set(
  'normal chat groupchat headline error get set result unavailable subscribe subscribed unsubscribe unsubscribed probe'.split(
    ' ',
  ),
);

/** Which stanzas a node traces: a share of those that it is the first to see, and those that another node says. */
export class Tracing implements Disposable {
  readonly #source: SpanSource;
  readonly #random: () => number;
  #ratio = 0;
  /** So many come before the next one that is traced, and that one. */
  #left = Number.POSITIVE_INFINITY;

  constructor(source: SpanSource, ratio: number, random = Math.random) {
    this.#source = source;
    this.#random = random;
    this.ratio = ratio;
  }

  /** The share of stanzas that are traced, from 0 to 1. */
  get ratio(): number {
    return this.#ratio;
  }

  set ratio(ratio: number) {
    if (this.#ratio === 0 && ratio > 0) watchArrivals();
    else if (this.#ratio > 0 && ratio === 0) ignoreArrivals();
    this.#ratio = ratio;
    this.#left = this.#gap();
  }

  /** Each stanza has the same chance, whatever others had; drawn once for all until then. */
  #gap(): number {
    if (this.#ratio <= 0) return Number.POSITIVE_INFINITY;
    if (this.#ratio >= 1) return 1;
    return 1 + Math.floor(Math.log(1 - this.#random()) / Math.log(1 - this.#ratio));
  }

  /** Begins to trace a stanza that came from outside, from its bytes on; undefined where it is none of those. */
  begin(stanza: Stanza, connection: 'c2s' | 's2s'): Trace | undefined {
    if (--this.#left > 0) return undefined;
    this.#left = this.#gap();
    const at = arrival();
    const trace = new Trace(this.#source, 'xmpp.stanza', 'server', at);
    trace.root.set('network.protocol.name', 'xmpp').set('xmpp.connection.type', connection);
    describe(trace, stanza);
    trace.root.child('xmpp.parse', 'internal', at)?.end();
    return trace;
  }

  /** Goes on with what another node has begun. */
  join(traceparent: string): Trace | undefined {
    const parent = parseTraceparent(traceparent);
    if (parent === undefined) return undefined;
    return new Trace(this.#source, 'xmpp.deliver', 'consumer', performance.now(), parent);
  }

  [Symbol.dispose](): void {
    this.ratio = 0;
  }
}

function describe({ root }: Trace, { kind, type }: Stanza): void {
  root.set('xmpp.stanza.kind', kind);
  if (type !== undefined) root.set('xmpp.stanza.type', TYPES.has(type) ? type : 'other');
}
