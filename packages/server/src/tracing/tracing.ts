import type { SpanSink } from '@parley/opentelemetry/span-data';
import type { Stanza } from '@parley/xmpp/stanza';
import { arrival, expectNone, expectStanza } from './arrival.ts';
import { Trace } from './trace.ts';
import { parseTraceparent } from './traceparent.ts';

/** Types that RFC 6120 and RFC 6121 know: others are whatever somebody has written. */
const TYPES = new Set(
  'normal chat groupchat headline error get set result unavailable subscribe subscribed unsubscribe unsubscribed probe'.split(
    ' ',
  ),
);

/** The arrival of a stanza is known where it is one of so many in what came with it. */
const NEAR = 4;

/** Who has sent a stanza, or is written to. */
export type ConnectionType = 'c2s' | 's2s' | 'component';

/** Which stanzas a node traces: a share of those that it is the first to see, and those that another node says. */
export class Tracing implements Disposable {
  readonly #sink: SpanSink;
  readonly #random: () => number;
  #ratio = 0;
  /** So many come before the next one that is traced, and that one. */
  #left = Number.POSITIVE_INFINITY;
  /** That one is near. */
  #expects = false;

  constructor(sink: SpanSink, ratio: number, random = Math.random) {
    this.#sink = sink;
    this.#random = random;
    this.ratio = ratio;
  }

  /** The share of stanzas that are traced, from 0 to 1. */
  get ratio(): number {
    return this.#ratio;
  }

  set ratio(ratio: number) {
    this.#ratio = ratio;
    this.#next();
  }

  #next(): void {
    this.#left = this.#gap();
    this.#expect(this.#left <= NEAR);
  }

  #expect(expects: boolean): void {
    if (expects === this.#expects) return;
    this.#expects = expects;
    if (expects) expectStanza();
    else expectNone();
  }

  /** Each stanza has the same chance, whatever others had; drawn once for all until then. */
  #gap(): number {
    if (this.#ratio <= 0) return Number.POSITIVE_INFINITY;
    if (this.#ratio >= 1) return 1;
    return 1 + Math.floor(Math.log(1 - this.#random()) / Math.log(1 - this.#ratio));
  }

  /** Begins to trace a stanza that came from outside, from its bytes on; undefined where it is none of those. */
  begin(stanza: Stanza, connection: ConnectionType): Trace | undefined {
    if (--this.#left > NEAR) return undefined;
    return this.#near(stanza, connection);
  }

  #near(stanza: Stanza, connection: ConnectionType): Trace | undefined {
    this.#expect(true);
    if (this.#left > 0) return undefined;
    const at = arrival();
    this.#next();
    const trace = new Trace(this.#sink, 'xmpp.stanza', 'server', at);
    trace.root.set('xmpp.connection.type', connection);
    describe(trace, stanza);
    trace.start('xmpp.parse', 'internal', at)?.end();
    return trace;
  }

  /** Goes on with what another node has begun. */
  join(traceparent: string): Trace | undefined {
    const parent = parseTraceparent(traceparent);
    if (parent === undefined) return undefined;
    return new Trace(this.#sink, 'xmpp.deliver', 'consumer', performance.now(), parent);
  }

  [Symbol.dispose](): void {
    this.ratio = 0;
  }
}

function describe({ root }: Trace, { kind, type }: Stanza): void {
  root.set('xmpp.stanza.kind', kind);
  if (type !== undefined) root.set('xmpp.stanza.type', TYPES.has(type) ? type : 'other');
}
