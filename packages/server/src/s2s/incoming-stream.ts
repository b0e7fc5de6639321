import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { Stream, StreamConsumer } from '../stream/stream.ts';
import { OUR_LANG } from '../stream/stream-lang.ts';
import type { CertificateVerdict, CertificateVoucher } from './certificate-verdict.ts';
import { Handled } from './handled.ts';
import type { IncomingHost } from './incoming-host.ts';
import { incomingVerdict } from './incoming-verdict.ts';
import { stanzaCounters } from './stanza-counters.ts';

/** Stanzas of one stream that are under way at the same time. */
const MOST_UNDER_WAY = 64;

/** A stream that another server began: which domains it has proved to speak for, and what they send. */
export class IncomingStream implements StreamConsumer {
  readonly stream: Stream;
  /** The domain that its header names, which proves nothing. */
  claimed: string | undefined;
  /** Whether its certificate stands for that domain. */
  verdict: CertificateVerdict | undefined;
  /** Dialback keys that are being verified, or wait for that. */
  verifying = 0;
  readonly #host: IncomingHost;
  readonly #counters: ReturnType<typeof stanzaCounters>;
  #handled: Handled | undefined;
  readonly #proved = new Set<string>();
  readonly #lanes = new Lanes();
  /** Stanzas. */
  #received = 0;

  constructor(stream: Stream, host: IncomingHost) {
    this.stream = stream;
    this.#host = host;
    this.#counters = stanzaCounters(host.metrics, 'in');
  }

  /** What was taken, where the other side wants to know (XEP-0198). */
  get handled(): Handled | undefined {
    return this.#reception.handled;
  }

  /** Counts from now on, in both directions. */
  acknowledge(): void {
    this.#reception.acknowledge();
    this.#returns?.acknowledge();
  }

  /** Stanzas that came. */
  get received(): number {
    return this.#reception.received;
  }

  /** When a stanza came last, or the stream began. */
  get heardAt(): number {
    return this.#reception.heardAt;
  }

  /** When a stanza came or went last. */
  get activeAt(): number {
    return Math.max(this.heardAt, this.#returns?.usedAt ?? 0);
  }

  /** The domains that may speak on it, with how they have proved themselves. */
  get proved(): ReadonlyMap<string, 'certificate' | 'dialback'> {
    return this.#proved;
  }

  /** What goes out on it, where the other side wants that (XEP-0288). */
  get returns(): ReturnTrunk | undefined {
    return this.#returns;
  }

  /** Both sides are to send on it, or no longer where it has begun anew. */
  set bothWays(both: boolean) {
    this.#returns = both ? new ReturnTrunk(this, this.#host) : undefined;
  }

  /** Whether the certificate that it has shown stands for a domain. */
  verdictFor(domain: string): Promise<CertificateVerdict> {
    const { tls, shown } = this.stream.transport;
    return this.#host.judge(tls === undefined ? undefined : shown, domain);
  }

  /** From now on it may speak for this domain. The first one is who the stream is. */
  prove(domain: string, proof: CertificateVoucher | 'dialback'): void {
    const { stream } = this;
    const { maxStanzaBytes: maxBytes } = this.#host.policy(domain);
    this.#proved.set(domain, proof);
    if (stream.identity === undefined) {
      stream.authenticated(Jid.of(undefined, domain), proof);
      stream.bind(this, { ...stream.host.limitsAfter, maxBytes });
    }
    const { remoteAddress: address, tls } = stream.transport;
    this.#host.metrics.federationProofs.with({ direction: 'in', proof }).add(1);
    const about = { remote: domain, local: stream.domain, address, mechanism: proof, tls: tls?.protocol ?? 'none' };
    this.#host.log.info('s2s.accepted', about);
  }

  // --- StreamConsumer ---------------------------------------------------------------------------------------------

  receive(element: Element): Awaitable<void> {
    if (!isStanza(element)) throw new StreamError('unsupported-stanza-type'); // RFC 6120 §4.9.3.24
    this.activeAt = performance.now();
    this.#received++;
    this.#counters[element.name as StanzaKind].increment();
    const from = this.#sender(element);
    const stanza = this.#read(element);
    const done = this.#handled?.begin();
    if (stanza === undefined) {
      done?.();
      return;
    }
    const lane = () => `${from.bareText} ${(stanza.to as Jid).bareText}`;
    this.#lanes.run(lane, () => {
      const processed = this.#process(stanza, from.domain);
      if (done === undefined) return processed;
      if (processed instanceof Promise) return processed.finally(done);
      done();
    });
    if (this.#lanes.count >= MOST_UNDER_WAY) return this.#lanes.below(MOST_UNDER_WAY);
  }

  onStreamEnd(reason: string, lost: boolean): void {
    this.#handled?.ended(lost);
    const { identity, transport } = this.stream;
    const others = this.#proved.size > 1 ? [...this.#proved.keys()].slice(1, 20) : undefined;
    const about = { remote: identity?.domain, others, address: transport.remoteAddress };
    this.#host.log.info('s2s.left', { ...about, received: this.received, reason });
    this.#returns?.onEnd(reason);
  }
}
