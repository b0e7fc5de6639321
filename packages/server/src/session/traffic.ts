import type { Counter } from '@parley/metrics/counter';
import type { Metrics } from '@parley/metrics/registry';
import type { Stanza, StanzaKind } from '@parley/xmpp/stanza';
import type { Configuration } from '../config/schema.ts';
import { TokenBucket } from '../net/token-bucket.ts';
import type { Session } from './session.ts';

/** Counts the stanzas of sessions and keeps them within their rate. */
export class SessionTraffic {
  readonly #config: () => Configuration;
  readonly #in: Record<StanzaKind, Counter>;
  readonly #out: Record<StanzaKind, Counter>;
  readonly #metrics: Metrics;
  /** By domain; there are as many as the configuration has. */
  readonly #domains = new Map<string, Record<'in' | 'out', Counter>>();
  readonly #buckets = new WeakMap<Session, TokenBucket>();

  constructor(config: () => Configuration, metrics: Metrics) {
    this.#config = config;
    this.#metrics = metrics;
    const counter = (kind: StanzaKind, direction: 'in' | 'out') => metrics.stanzas.with({ kind, direction });
    const all = (direction: 'in' | 'out') => ({
      message: counter('message', direction),
      presence: counter('presence', direction),
      iq: counter('iq', direction),
    });
    this.#in = all('in');
    this.#out = all('out');
  }

  /** Milliseconds not to read on. */
  received(session: Session, kind: StanzaKind): number {
    this.#in[kind].increment();
    this.#of(session).in.increment();
    if (session.stream.unlimited) return 0;
    const rate = this.#config().limits.stanzas;
    if (rate.perSecond === Number.POSITIVE_INFINITY) return 0;
    const now = performance.now();
    let bucket = this.#buckets.get(session);
    if (bucket === undefined) {
      bucket = new TokenBucket(rate, now);
      this.#buckets.set(session, bucket);
    }
    const wait = bucket.take(1, rate, now);
    if (wait > 0) session.stream.host.onLimit(session.stream, 'stanzas-rate');
    return wait;
  }

  sent(session: Session, stanza: Stanza): void {
    this.#out[stanza.kind].increment();
    this.#of(session).out.increment();
  }

  #of({ jid: { domain } }: Session): Record<'in' | 'out', Counter> {
    return this.#domains.get(domain) ?? this.#begin(domain);
  }

  #begin(domain: string): Record<'in' | 'out', Counter> {
    const { domainStanzas } = this.#metrics;
    const counters = {
      in: domainStanzas.with({ domain, direction: 'in' }),
      out: domainStanzas.with({ domain, direction: 'out' }),
    };
    this.#domains.set(domain, counters);
    return counters;
  }
}
