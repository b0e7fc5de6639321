import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { bytesRead, elementTurn, elementWaits } from '../tracing/arrival.ts';
import type { IncomingHost } from './incoming-host.ts';
import { answerToVerify, keyAnswer, pairOf } from './key-answer.ts';
import type { PeerStream } from './peer-stream.ts';
import { Receipts } from './receipts.ts';
import { Reception, type ReceptionHost } from './reception.ts';
import { checkHeard } from './unread.ts';

export type BackTrafficHost = ReceptionHost & Pick<IncomingHost, 'serves' | 'dialbackKey'>;

/** Who may speak to whom on a stream of ours. */
export interface BackTrafficRules {
  readonly local: string;
  /** Pairs of domains that the stream is for, ours before theirs. */
  readonly pairs: ReadonlySet<string>;
  readonly remotes: ReadonlySet<string>;
}

/** What another server sends on a stream that we began (XEP-0288): checked and taken as on one that it began. */
export class BackTraffic {
  readonly #stream: PeerStream;
  readonly #host: BackTrafficHost;
  readonly #protocol: string | undefined;
  readonly #reception: Reception;
  readonly #receipts: Receipts;
  #waiting = false;
  /** Stanzas that wait, and where among them the other side begins to count. */
  #queue: (Element | 'counts')[] = [];

  constructor(stream: PeerStream, protocol: string | undefined, rules: BackTrafficRules, host: BackTrafficHost) {
    this.#stream = stream;
    this.#host = host;
    this.#protocol = protocol;
    const { local, pairs, remotes } = rules;
    const mayBeFrom = (domain: string) => remotes.has(domain);
    const mayBeFor = (domain: string, from: string) => pairs.has(`${domain} ${from}`) && host.serves(domain);
    this.#reception = new Reception({ local, lang: stream.lang, mayBeFrom, mayBeFor }, host);
    this.#receipts = new Receipts((answer) => stream.write(answer.toString(NS.server)));
  }

  get received(): number {
    return this.#reception.received;
  }

  get heardAt(): number {
    return this.#reception.heardAt;
  }

  /** From now on it is counted what comes (XEP-0198), once. */
  acknowledge(): void {
    if (this.#waiting) this.#queue.push('counts');
    else if (this.#reception.handled === undefined) this.#reception.acknowledge();
  }

  /** The other side asks what was taken. */
  onRequest(): void {
    if (this.#reception.handled !== undefined) this.#receipts.onRequest(this.#reception.handled);
  }

  /** False where it is nothing that others may send here. Throws a StreamError. */
  onElement(element: Element): boolean {
    if (isStanza(element)) this.#take(element);
    else if (element.ns === NS.dialback && element.attr('type') === undefined) this.#onKey(element);
    else return false;
    return true;
  }

  #take(element: Element): void {
    if (this.#waiting) {
      this.#queue.push(element);
      elementWaits(element);
      return;
    }
    const more = this.#reception.receive(element);
    if (more === undefined) return;
    this.#waiting = true;
    this.#stream.held = true;
    void more.then(() => this.#goOn());
  }

  #takeWaiting(element: Element): void {
    elementTurn(element);
    try {
      this.#take(element);
    } finally {
      bytesRead();
    }
  }

  #goOn(): void {
    this.#waiting = false;
    try {
      while (!this.#waiting && !this.#stream.over) {
        const next = this.#queue.shift();
        if (next === undefined) {
          this.#stream.held = false;
          return;
        }
        if (next === 'counts') this.acknowledge();
        else this.#takeWaiting(next);
      }
    } catch (error) {
      this.#stream.onFault(error);
    }
  }

  /** Whoever wants to speak for more domains is to begin a stream for them (XEP-0220 §2.4.2). */
  #onKey(element: Element): void {
    checkHeard(this.#stream.connection.buffered);
    if (element.name === 'verify') {
      this.#stream.write(answerToVerify(this.#host, element, this.#protocol));
    } else if (element.name === 'result') {
      const error = new StanzaError('resource-constraint', { text: 'Begin a stream for this domain.' });
      this.#stream.write(keyAnswer('result', pairOf(element), { type: 'error' }, error));
    } else throw new StreamError('unsupported-stanza-type');
  }
}
