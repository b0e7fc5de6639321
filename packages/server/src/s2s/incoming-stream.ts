import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import type { StreamConsumer } from '../stream/stream-consumer.ts';
import type { CertificateVerdict, CertificateVoucher } from './certificate-verdict.ts';
import { Handled } from './handled.ts';
import type { IncomingHost } from './incoming-host.ts';
import { Reception } from './reception.ts';
import { ReturnTrunk } from './return-trunk.ts';
import type { StreamLimits } from './stream-limits.ts';

/** How a domain has proved itself on a stream that it began. */
type IncomingProof = CertificateVoucher | 'dialback';

/** A stream that another server began: which domains it has proved to speak for, and what they send. */
export class IncomingStream implements StreamConsumer {
  readonly stream: Stream;
  /** The domain that its header names, which proves nothing. */
  claimed: string | undefined;
  /** Whether its certificate stands for that domain. */
  verdict: CertificateVerdict | undefined;
  /** Dialback keys that are being verified, or wait for that. */
  verifying = 0;
  /** Domains whose servers secure DNS says this is not: nothing goes to them on it, whatever their keys say. */
  readonly elsewhere = new Set<string>();
  readonly #host: IncomingHost;
  readonly #proved = new Map<string, IncomingProof>();
  readonly #reception: Reception;
  #returns: ReturnTrunk | undefined;

  constructor(stream: Stream, host: IncomingHost) {
    this.stream = stream;
    this.#host = host;
    const rules = {
      mayBeFrom: (domain: string) => this.#proved.has(domain),
      mayBeFor: (domain: string) => host.serves(domain),
      get local() {
        return stream.domain;
      },
      get lang() {
        return stream.lang;
      },
    };
    this.#reception = new Reception(rules, host);
  }

  /** What was taken, where the other side wants to know (XEP-0198). */
  get handled(): Handled | undefined {
    return this.#reception.handled;
  }

  /** Counts from now on, or goes on counting, in both directions. */
  acknowledge(handled = new Handled()): void {
    this.#reception.acknowledge(handled);
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
  get proved(): ReadonlyMap<string, IncomingProof> {
    return this.#proved;
  }

  /** What goes out on it, where the other side wants that (XEP-0288). */
  get returns(): ReturnTrunk | undefined {
    return this.#returns;
  }

  /** Both sides are to send on it, the other one takes so much; or no longer, where it has begun anew. */
  set bothWays(limits: StreamLimits | undefined) {
    this.#returns = limits && new ReturnTrunk(this, limits, this.#host);
  }

  /** Whether the certificate that it has shown stands for a domain. */
  verdictFor(domain: string): Promise<CertificateVerdict> {
    const { tls, shown } = this.stream.transport;
    return this.#host.judge(tls === undefined ? undefined : shown, domain);
  }

  /** From now on it may speak for this domain. The first one is who the stream is. */
  prove(domain: string, proof: IncomingProof): void {
    const { stream } = this;
    const { maxStanzaBytes: maxBytes } = this.#host.policy(domain);
    this.#proved.set(domain, proof);
    if (stream.identity === undefined) {
      stream.authenticated(Jid.of(undefined, domain), proof);
      stream.bind(this, { ...stream.host.limitsAfter, maxBytes });
    }
    const { remoteAddress: address, tls } = stream.transport;
    this.#host.peerRows.proof(domain, 'in', proof);
    const about = { remote: domain, local: stream.domain, address, mechanism: proof, tls: tls?.protocol ?? 'none' };
    this.#host.log.info('s2s.accepted', about);
  }

  // --- StreamConsumer ---------------------------------------------------------------------------------------------

  receive(element: Element): Awaitable<void> {
    this.#returns?.onStanza();
    return this.#reception.receive(element);
  }

  onStreamEnd(reason: string, lost: boolean): void {
    this.handled?.ended(lost);
    const { identity, transport } = this.stream;
    const others = this.#proved.size > 1 ? [...this.#proved.keys()].slice(1, 20) : undefined;
    const about = { remote: identity?.domain, others, address: transport.remoteAddress };
    this.#host.log.info('s2s.left', { ...about, received: this.received, reason });
    this.#returns?.onEnd(reason);
  }
}
