import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { isStanza, type Stanza, type StanzaKind, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import { Lanes } from '../stream/lanes.ts';
import type { Stream, StreamConsumer } from '../stream/stream.ts';
import { OUR_LANG } from '../stream/stream-lang.ts';
import { type CertificateVerdict, certificateVerdict } from './certificate-verdict.ts';
import { Handled } from './handled.ts';
import type { IncomingHost } from './incoming-host.ts';
import { incomingVerdict } from './incoming-verdict.ts';

/** Stanzas of one stream that are under way at the same time. */
const MOST_UNDER_WAY = 64;

/** A stream that another server began: which domains it has proved to speak for, and what they send. */
export class IncomingStream implements StreamConsumer {
  readonly stream: Stream;
  /** The domain that its header names, which proves nothing. */
  claimed: string | undefined;
  /** Whether its certificate stands for that domain. */
  verdict: CertificateVerdict | undefined;
  /** When a stanza came last, or the stream began. */
  activeAt = performance.now();
  /** Dialback keys that are being verified, or wait for that. */
  verifying = 0;
  readonly #host: IncomingHost;
  #handled: Handled | undefined;
  readonly #proved = new Set<string>();
  readonly #lanes = new Lanes();
  /** Stanzas. */
  #received = 0;

  constructor(stream: Stream, host: IncomingHost) {
    this.stream = stream;
    this.#host = host;
  }

  /** What was taken, where the other side wants to know (XEP-0198). */
  get handled(): Handled | undefined {
    return this.#handled;
  }

  /** Counts from now on, or goes on counting. */
  acknowledge(handled = new Handled()): void {
    this.#handled = handled;
  }

  /** Stanzas that came. */
  get received(): number {
    return this.#received;
  }

  get proved(): ReadonlySet<string> {
    return this.#proved;
  }

  /** Whether the certificate that it has shown stands for a domain. */
  verdictFor(domain: string): Promise<CertificateVerdict> {
    const { transport } = this.stream;
    if (transport.tls === undefined) return certificateVerdict(undefined, undefined, domain);
    const { authorities } = this.#host.policy(domain);
    return incomingVerdict(transport.shown, domain, this.#host.authorities(), authorities);
  }

  /** From now on it may speak for this domain. The first one is who the stream is. */
  prove(domain: string, proof: 'certificate' | 'dialback'): void {
    const { stream } = this;
    const { maxStanzaBytes: maxBytes } = this.#host.policy(domain);
    this.#proved.add(domain);
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
    this.#host.metrics.federationStanzas.with({ kind: element.name as StanzaKind, direction: 'in' }).add(1);
    const from = this.#sender(element);
    const read = this.#read(element);
    const handled = this.#handled;
    const done = handled?.begin();
    if (read === undefined) {
      done?.();
      return;
    }
    const stanza = handled?.marked(read) ?? read;
    const to = stanza.to as Jid;
    this.#lanes.run(handled?.lane(from, to) ?? `${from.bareText} ${to.bareText}`, () => {
      const processed = this.#process(stanza, from.domain);
      if (done === undefined) return processed;
      if (processed instanceof Promise) return processed.finally(done);
      done();
    });
    if (this.#lanes.count >= MOST_UNDER_WAY) return this.#lanes.below(MOST_UNDER_WAY);
  }

  /** RFC 6120 §8.1.2.2 */
  #sender(element: Element): Jid {
    const text = element.attr('from');
    const from = text === undefined ? undefined : Jid.tryParse(text);
    if (from === undefined) throw new StreamError('improper-addressing', 'A stanza has no "from" that is an address.');
    if (!this.#proved.has(from.domain)) {
      throw new StreamError('invalid-from', 'A stanza is from a domain that was not proved.');
    }
    return from;
  }

  /** RFC 6120 §8.1.1.2. Undefined where it was answered already. */
  #read(element: Element): Stanza | undefined {
    const text = element.attr('to');
    if (text === undefined) throw new StreamError('improper-addressing', 'A stanza has no "to".');
    const to = Jid.tryParse(text);
    if (to === undefined) {
      // one user's mistake, which is not to end the stream of all others; the address cannot be repeated
      const here = Jid.of(undefined, this.stream.domain);
      const stanza = stanzaOf(element.withAttr('to', here.toString()));
      void this.#host.refuse(stanza, new StanzaError('jid-malformed', { text: 'The to is not an address.' }));
      return undefined;
    }
    if (!this.#host.serves(to.domain))
      throw new StreamError('host-unknown', 'A stanza is for a domain of somebody else.');
    const stanza = stanzaOf(element);
    // RFC 6120 §8.1.5
    return this.stream.lang === OUR_LANG ? stanza : stanza.withLang(this.stream.lang);
  }

  #process(stanza: Stanza, domain: string): Awaitable<unknown> {
    try {
      checkStanza(stanza);
      const { allow, stanzas } = this.#host.policy(domain);
      if (!allow || !stanzas.has(stanza.kind)) {
        if (stanza.kind === 'presence') return;
        throw new StanzaError('policy-violation', { text: `No ${stanza.kind} is taken from your server here.` });
      }
    } catch (error) {
      return this.#host.refuse(stanza, error);
    }
    return this.#host.process(stanza, domain);
  }

  onStreamEnd(reason: string, lost: boolean): void {
    this.#handled?.ended(lost);
    const { identity, transport } = this.stream;
    const others = this.#proved.size > 1 ? [...this.#proved].slice(1, 20) : undefined;
    const about = { remote: identity?.domain, others, address: transport.remoteAddress };
    this.#host.log.info('s2s.left', { ...about, received: this.#received, reason });
  }
}
