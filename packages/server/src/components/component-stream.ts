import { randomBytes } from 'node:crypto';
import type { LimitName } from '@parley/metrics/catalogue';
import { asClientContent, inOtherContent } from '@parley/xmpp/content-namespace';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import { XmlLimitError, type XmlLimits } from '@parley/xmpp/xml-limits';
import { XmlReader } from '@parley/xmpp/xml-reader';
import type { ComponentConfiguration } from '../config/components.ts';
import { type Rate, TokenBucket } from '../net/token-bucket.ts';
import type { Transport, TransportHandler } from '../net/transport.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Reader } from '../session/stalled-readers.ts';
import { Lanes } from '../stream/lanes.ts';
import { limitName } from '../stream/reader-limit.ts';
import { langOf, OUR_LANG } from '../stream/stream-lang.ts';
import { asArrived, bytesCame, bytesRead, elementTurn, elementWaits } from '../tracing/arrival.ts';
import { componentHeader, componentHeaderError, isHandshake } from './component-header.ts';
import { componentStanza } from './component-stanza.ts';
import { OutputQueue, type QueueLimits } from './output-queue.ts';

export interface ComponentStreamHost {
  /** The component with this domain. */
  component(domain: string): ComponentConfiguration | undefined;
  /** The component that serves a domain. */
  serving(domain: string): ComponentConfiguration | undefined;
  /** Whether one instance more may connect. */
  hasRoom(component: ComponentConfiguration): boolean;
  readonly limitsBefore: XmlLimits;
  readonly limitsAfter: XmlLimits;
  readonly timeouts: { readonly authenticateMs: number; readonly closeMs: number };
  rate(): Rate;
  queue(): QueueLimits;
  /** It has proved which component it is. */
  onOpen(stream: ComponentStream): void;
  /** A stanza that it sent, valid, from an address that it may use. */
  onStanza(stanza: Stanza, stream: ComponentStream): Awaitable<unknown>;
  onWritten(stanza: Stanza, stream: ComponentStream): void;
  onBytes(count: number): void;
  onText(text: string): void;
  /** The error that answers a stanza; undefined where there may be none. */
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  onError(stream: ComponentStream, error: StreamError): void;
  onLimit(stream: ComponentStream, limit: LimitName): void;
  onFault(error: unknown): void;
  /** It is over. Called once, with what had not been written yet. */
  onEnd(stream: ComponentStream, reason: string, unsent: readonly Stanza[]): void;
  /** Its connection is gone, too. Called once. */
  onDisconnect(stream: ComponentStream): void;
}

/** Stanzas of one component that may be under way at once: then it is not read. */
const MOST_UNDER_WAY = 256;

/** The stream of one instance of a component (XEP-0114, jabber:component:accept). */
export class ComponentStream implements XmlHandler, TransportHandler, Reader {
  /** What the cluster knows this instance by. */
  readonly id = randomBytes(8).toString('hex');
  /** When it proved who it is: milliseconds since 1970. */
  since = 0;
  readonly transport: Transport;
  /** The component's domain, '' until its header names one. */
  domain = '';
  readonly #host: ComponentStreamHost;
  readonly #reader: XmlReader;
  readonly #lanes = new Lanes();
  readonly #out: OutputQueue;
  readonly #streamId = randomBytes(12).toString('base64url');
  #state: 'header' | 'handshake' | 'open' | 'closed' = 'header';
  #headed = false;
  #lang = OUR_LANG;
  #timer: NodeJS.Timeout | undefined;
  #bucket: TokenBucket | undefined;
  /** Why nothing is taken in: what lifts each of these calls `#goOn`. */
  #resting: NodeJS.Timeout | undefined;
  #holding = false;
  #pending: Element[] = [];
  #sawClose = false;

  constructor(transport: Transport, host: ComponentStreamHost) {
    this.transport = transport;
    this.#host = host;
    this.#reader = new XmlReader(this, host.limitsBefore);
    this.#out = new OutputQueue({
      transport,
      limits: () => host.queue(),
      write: (text, stanza) => {
        this.#send(text);
        host.onWritten(stanza, this);
      },
    });
    // absolute: traffic does not extend it
    this.#timer = setTimeout(() => {
      host.onLimit(this, 'authenticate-time');
      this.error(new StreamError('connection-timeout'));
    }, host.timeouts.authenticateMs);
    transport.handler = this;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  // --- Reader -----------------------------------------------------------------------------------------------------

  readonly detached = false;

  get ended(): boolean {
    return this.#state === 'closed';
  }

  get stream(): this {
    return this;
  }

  /** Cuts the connection: others wait for a component that does not read. */
  tooSlow(limit: LimitName): void {
    this.#host.onLimit(this, limit);
    this.cut('it reads too slowly');
  }

  /** Stanzas that wait until it reads. */
  get waiting(): number {
    return this.#out.size;
  }

  // --- in ---------------------------------------------------------------------------------------------------------

  onData(bytes: Buffer): void {
    if (this.#state === 'closed') return;
    this.#host.onBytes(bytes.length);
    bytesCame();
    try {
      this.#reader.write(bytes);
    } catch (error) {
      this.#fail(error);
    }
    bytesRead();
  }

  onStreamOpen(root: Element, contentNs: string): void {
    this.#lang = langOf(root);
    const named = Jid.tryParse(root.attr('to') ?? '');
    const component = named?.isDomain ? this.#host.component(named.domain) : undefined;
    if (component !== undefined) this.domain = component.domain;
    this.#head();
    const wrong = componentHeaderError(root, contentNs);
    if (wrong !== undefined) throw wrong;
    if (component === undefined) throw new StreamError('host-unknown', 'No component of this domain is configured.');
    this.#state = 'handshake';
  }

  #head(): void {
    this.#headed = true;
    this.#send(componentHeader(this.#streamId, this.domain));
  }

  onElement(element: Element): void {
    if (this.#state === 'closed') return;
    if (this.#reading) this.#take(element);
    else {
      this.#pending.push(element);
      elementWaits(element);
    }
  }

  get #reading(): boolean {
    return this.#resting === undefined && !this.#holding;
  }

  #take(element: Element): void {
    if (element.is('error', NS.streams)) this.close('the component sent a stream error');
    else if (this.#state === 'open') this.#receive(element);
    else this.#handshake(element);
  }

  #handshake(element: Element): void {
    if (!element.is('handshake', NS.component)) {
      throw new StreamError('not-authorized', 'A component says <handshake/> first.');
    }
    const component = this.#host.component(this.domain);
    if (component?.secret === undefined || !isHandshake(element.text, this.#streamId, component.secret)) {
      throw new StreamError('not-authorized', 'The component has not proved that it knows the secret.');
    }
    if (!this.#host.hasRoom(component)) {
      this.#host.onLimit(this, 'component-instances');
      throw new StreamError('conflict', 'As many instances of the component are connected as may be.');
    }
    clearTimeout(this.#timer);
    this.#reader.limits = this.#host.limitsAfter;
    this.#state = 'open';
    this.since = Date.now();
    this.#send('<handshake/>');
    this.#host.onOpen(this);
  }

  #receive(element: Element): void {
    const wait = this.#spend();
    const stanza = componentStanza(asClientContent(element, NS.component), {
      mayUse: (domain) => this.#host.serving(domain)?.domain === this.domain,
      errorFor: (bad, error) => this.#host.errorFor(bad, error),
      answer: (text) => this.#answer(text),
    });
    if (stanza !== undefined) {
      const said = this.#lang === OUR_LANG ? stanza : stanza.withLang(this.#lang);
      const { bareText } = stanza.to as Jid;
      this.#lanes.run(
        () => bareText,
        asArrived(() => this.#host.onStanza(said, this)),
      ); // be it that it is gone meanwhile
    }
    if (wait > 0) this.#rest(wait);
    if (this.#lanes.count >= MOST_UNDER_WAY) this.#hold();
  }

  /** What it hears of its own faults waits in no queue: who never reads is not to have more and more of it. */
  #answer(text: string): void {
    if (this.transport.buffered > this.#host.queue().maxBytes) this.tooSlow('component-queue-bytes');
    else this.#send(text);
  }

  /** Milliseconds not to read on. */
  #spend(): number {
    const rate = this.#host.rate();
    const now = performance.now();
    this.#bucket ??= new TokenBucket(rate, now);
    const wait = this.#bucket.take(1, rate, now);
    if (wait > 0) this.#host.onLimit(this, 'component-rate');
    return wait;
  }

  #rest(ms: number): void {
    this.transport.pause();
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.#goOn();
    }, ms);
  }

  #hold(): void {
    if (this.#holding) return;
    this.#holding = true;
    this.transport.pause();
    void this.#lanes.below(MOST_UNDER_WAY / 2).then(() => {
      this.#holding = false;
      this.#goOn();
    });
  }

  #goOn(): void {
    const pending = this.#pending;
    this.#pending = [];
    try {
      for (const [index, element] of pending.entries()) {
        if (this.#state === 'closed') return;
        if (!this.#reading) {
          this.#pending = pending.slice(index);
          return;
        }
        elementTurn(element);
        this.#take(element);
      }
    } catch (error) {
      this.#fail(error);
      return;
    } finally {
      bytesRead();
    }
    if (!this.#reading) return;
    if (this.#sawClose) this.close();
    else this.transport.resume();
  }

  onStreamClose(): void {
    this.#sawClose = true;
    if (this.#reading) this.close();
  }

  onClose(reason: string): void {
    this.#finish(reason);
    this.#host.onDisconnect(this);
  }

  // --- out --------------------------------------------------------------------------------------------------------

  /** Writes a stanza or keeps it for a while; false where it can take no more. The promise is for who may wait. */
  deliver(stanza: Stanza): Awaitable<void> | false {
    const text = inOtherContent(stanza);
    const bytes = Buffer.byteLength(text);
    const exceeded = this.#out.exceeded(bytes);
    if (exceeded === undefined) return this.#out.push(stanza, text, bytes);
    this.#host.onLimit(this, `component-${exceeded}`);
    return false;
  }

  #send(text: string): void {
    if (this.#state === 'closed') return;
    this.#host.onText(text);
    this.transport.write(text);
  }

  // --- end --------------------------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    if (error instanceof XmlLimitError) this.#host.onLimit(this, limitName(error.limit, this.open));
    if (error instanceof StreamError) {
      this.error(error);
      return;
    }
    this.#host.onFault(error);
    this.error(new StreamError('internal-server-error'));
  }

  error(error: StreamError): void {
    if (this.#state === 'closed') return;
    if (!this.#headed) this.#head(); // RFC 6120 §4.9.1.1
    this.#host.onError(this, error);
    this.#send(error.toText());
    this.close(`stream error ${error.condition}`);
  }

  close(reason = this.#sawClose ? 'closed by the component' : 'closed by the server'): void {
    if (this.#state === 'closed') return;
    if (this.#headed) this.#send('</stream:stream>');
    this.#finish(reason);
    this.transport.end(this.#host.timeouts.closeMs, () => this.#host.onLimit(this, 'close-time'));
  }

  /** Cuts the connection without a word: for a component that does not read. */
  cut(reason: string): void {
    this.#finish(reason);
    this.transport.destroy();
  }

  #finish(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    clearTimeout(this.#resting);
    this.#reader.stop();
    this.#pending = [];
    this.#host.onEnd(this, reason, this.#out.close());
  }
}
