import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { isStanza, type Origin, type Stanza, type StanzaKind, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { StreamError } from '@parley/xmpp/stream-error';
import { turnTime } from '../net/flush.ts';
import type { Awaitable } from '../pipeline.ts';
import { Lanes } from '../stream/lanes.ts';
import { OUR_LANG } from '../stream/stream-lang.ts';
import { asArrived } from '../tracing/arrival.ts';
import { Handled } from './handled.ts';
import type { IncomingHost } from './incoming-host.ts';
import { stanzaCounters } from './stanza-counters.ts';

export type ReceptionHost = Pick<IncomingHost, 'policy' | 'metrics' | 'peerRows' | 'process' | 'refuse'>;

/** Who may speak on a stream, and to whom. */
export interface ReceptionRules {
  /** Whether a domain has proved itself on it. */
  mayBeFrom(domain: string): boolean;
  /** Whether what is from such a domain may be for this one. */
  mayBeFor(domain: string, from: string): boolean;
  /** The domain of ours that it is with. */
  readonly local: string;
  /** The language of the other side's header. */
  readonly lang: string;
}

/** Stanzas of one stream that are under way at the same time. */
const MOST_UNDER_WAY = 64;

/** Takes the stanzas that another server sends on a stream, whoever began that. */
export class Reception {
  /** When a stanza came last, or the stream began. */
  heardAt = performance.now();
  readonly #rules: ReceptionRules;
  readonly #host: ReceptionHost;
  readonly #counters: ReturnType<typeof stanzaCounters>;
  readonly #lanes = new Lanes();
  #handled: Handled | undefined;
  #received = 0;

  constructor(rules: ReceptionRules, host: ReceptionHost) {
    this.#rules = rules;
    this.#host = host;
    this.#counters = stanzaCounters(host.metrics, 'in');
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

  /** A promise says when more may be taken. Throws a StreamError. */
  receive(element: Element): Awaitable<void> {
    if (!isStanza(element)) throw new StreamError('unsupported-stanza-type'); // RFC 6120 §4.9.3.24
    this.heardAt = turnTime();
    this.#received++;
    this.#counters[element.name as StanzaKind].increment();
    const handled = this.#handled;
    const stanza = this.#read(element, handled?.nextOrigin);
    const done = handled?.begin();
    if (stanza === undefined) {
      done?.();
      return;
    }
    const from = stanza.from as Jid;
    this.#host.peerRows.stanza(from.domain, 'in');
    const to = stanza.to as Jid;
    const lane = () => handled?.lane(from, to) ?? `${from.bareText} ${to.bareText}`;
    const work = () => {
      const processed = this.#process(stanza, from.domain);
      if (done === undefined) return processed;
      if (processed instanceof Promise) return processed.finally(done);
      done();
    };
    this.#lanes.run(lane, asArrived(work));
    if (this.#lanes.count >= MOST_UNDER_WAY) return this.#lanes.below(MOST_UNDER_WAY);
  }

  /** RFC 6120 §8.1.1.2, §8.1.2.2. Undefined where it was answered already. */
  #read(element: Element, origin: Origin | undefined): Stanza | undefined {
    let stanza: Stanza;
    try {
      stanza = stanzaOf(element, origin);
    } catch {
      this.#refuse(element);
      return undefined;
    }
    const { from, to } = stanza;
    const { lang } = this.#rules;
    this.#checkSender(from);
    if (to === undefined) throw new StreamError('improper-addressing', 'A stanza has no "to".');
    if (!this.#rules.mayBeFor(to.domain, (from as Jid).domain)) {
      throw new StreamError('host-unknown', 'A stanza is for a domain of somebody else.');
    }
    return lang === OUR_LANG ? stanza : stanza.withLang(lang); // RFC 6120 §8.1.5
  }

  #checkSender(from: Jid | undefined): void {
    if (from === undefined) throw new StreamError('improper-addressing', 'A stanza has no "from" that is an address.');
    if (!this.#rules.mayBeFrom(from.domain)) {
      throw new StreamError('invalid-from', 'A stanza is from a domain that was not proved.');
    }
  }

  /** One of its addresses is none: a "to" is one user's mistake, which is not to end the stream of all others. */
  #refuse(element: Element): void {
    this.#checkSender(Jid.tryParse(element.attr('from') ?? ''));
    // the address cannot be repeated
    const stanza = stanzaOf(element.withAttr('to', Jid.of(undefined, this.#rules.local).toString()));
    void this.#host.refuse(stanza, new StanzaError('jid-malformed', { text: 'The to is not an address.' }));
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
}
