import { randomBytes } from 'node:crypto';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza } from '@parley/xmpp/stanza';
import { type StreamCondition, StreamError } from '@parley/xmpp/stream-error';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import { XmlLimitError, type XmlLimits } from '@parley/xmpp/xml-limits';
import { XmlReader } from '@parley/xmpp/xml-reader';
import { NO_TRANSPORT } from '../net/no-transport.ts';
import type { Transport, TransportHandler } from '../net/transport.ts';
import type { Awaitable } from '../pipeline.ts';
import { bytesCame, bytesRead, elementTurn, elementWaits } from '../tracing/arrival.ts';
import { limitName } from './reader-limit.ts';
import { SetUpTimer } from './set-up-timer.ts';
import type { StreamAccess } from './stream-access.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import { addressedDomain } from './stream-header.ts';
import type { StreamHost } from './stream-host.ts';
import { langOf, OUR_LANG } from './stream-lang.ts';

/** One XML stream that a client or another server began (RFC 6120 §4): header, features, errors, close. */
export class Stream implements XmlHandler, TransportHandler {
  readonly transport: Transport;
  readonly host: StreamHost;
  /** When its connection was made: milliseconds since 1970. */
  readonly since = Date.now();
  readonly begun = performance.now(); // the same, and nobody sets it back
  /** Unpredictable, unique (RFC 6120 §4.7.3). */
  id = '';
  /** The domain that the peer addressed, '' before its header. */
  domain = '';
  /** Who the peer's header says that it is, which proves nothing. */
  claimed: Jid | undefined;
  lang = OUR_LANG;
  /** Set by authentication: the bare JID, of a server its domain. Never changes again. */
  identity: Jid | undefined;
  /** How it was proved. */
  mechanism = '';
  /** Which client it is. */
  access: StreamAccess = {};
  /** Administrators and trusted peers: no limits of rate. */
  unlimited = false;
  /** Seconds since the peer last sent anything, as whoever watches idle streams counts them. */
  silence = 0;
  /** While it is set, elements of another namespace than this end the stream. */
  only: string | undefined;
  #consumer: StreamConsumer | undefined;
  #reader: XmlReader;
  /** Its own, once it is bound. */
  #limits: XmlLimits | undefined;
  #queue: Element[] = [];
  #waiting = false;
  #opened = false;
  #handshaking = false;
  #closed = false;
  #sawClose = false;
  /** What waits until something else is said: text that is written then, and what is done then. */
  #held: (string | (() => void))[] | undefined;
  readonly #timer: SetUpTimer;
  /** Until when nothing is taken in, by `performance.now()`, and what ends that. */
  #restsUntil = 0;
  #restTimer: NodeJS.Timeout | undefined;

  constructor(transport: Transport, host: StreamHost) {
    this.transport = transport;
    this.host = host;
    this.#reader = this.#newReader();
    this.#timer = new SetUpTimer(this);
    this.#timer.start();
    transport.handler = this;
  }

  /** What a session has in place of a stream before its client comes back to it. */
  static ended(jid: Jid, host: StreamHost): Stream {
    const stream = new Stream(NO_TRANSPORT, host);
    stream.#timer.stop();
    stream.#closed = true;
    stream.domain = jid.domain;
    stream.identity = jid.bare;
    return stream;
  }

  #newReader(): XmlReader {
    const { limitsBefore, limitsAfter, role } = this.host;
    const limits = this.#limits ?? (this.identity ? limitsAfter : limitsBefore);
    return new XmlReader(this, limits, role.contentNs === NS.server);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get encrypted(): boolean {
    return this.transport.tls !== undefined;
  }

  /** Takes in what the peer sends. While it does not, silence says nothing about the peer. */
  get reading(): boolean {
    return !this.#waiting && this.#restTimer === undefined;
  }

  get bound(): boolean {
    return this.#consumer !== undefined;
  }

  /** The peer waits for us: its own time stands still meanwhile. */
  async untimed(turn: Promise<void>): Promise<void> {
    this.#timer.stop();
    await turn;
    if (!this.#closed && !this.bound) this.#timer.goOn();
  }

  // --- bytes in ---------------------------------------------------------------------------------------------------

  onData(bytes: Buffer): void {
    if (this.#closed) return;
    this.silence = 0;
    if (this.#waiting) this.transport.pause();
    const wait = this.host.onBytes(this, bytes.length);
    bytesCame();
    try {
      this.#reader.write(bytes);
    } catch (error) {
      this.fail(error);
    }
    bytesRead();
    if (wait > 0 && !this.#closed) this.#rest(wait);
  }

  /** Takes nothing in for a while: the peer has used up one of its rates. The longer of two times counts. */
  #rest(ms: number): void {
    const until = performance.now() + ms;
    if (this.#restTimer !== undefined && until <= this.#restsUntil) return;
    this.#restsUntil = until;
    this.transport.pause();
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined;
      this.#goOn();
    }, ms);
  }

  /** Has the stream take nothing in for a while. What it already read waits, too: one read may hold thousands. */
  throttle(ms: number): void {
    if (!this.#closed) this.#rest(ms);
  }

  onStreamOpen(root: Element, contentNs: string): void {
    const error = this.#checkHeader(root, contentNs);
    this.#open(root.attr('from'));
    if (error) throw error;
    if (root.attr('version') === undefined) return; // nothing before XMPP 1.0 knows features
    const prepared = this.host.role.prepare?.(this, root);
    if (prepared instanceof Promise) this.#wait(prepared.then(() => this.#sendFeatures()));
    else this.#sendFeatures();
  }

  #sendFeatures(): void {
    this.send(this.host.features.text(this));
  }

  #checkHeader(root: Element, contentNs: string): StreamError | undefined {
    this.lang = langOf(root);
    const domain = addressedDomain(root);
    const served = domain === undefined ? undefined : this.host.domain(domain);
    if (served !== undefined) this.domain = served;
    return this.host.role.headerError(this, root, { contentNs, served });
  }

  #open(from: string | undefined): void {
    this.#opened = true;
    this.claimed = from === undefined ? undefined : Jid.tryParse(from)?.bare;
    this.id = randomBytes(12).toString('base64url');
    this.send(this.host.role.headerText(this, from));
  }

  onElement(element: Element): void {
    if (this.#closed) return;
    if (!this.reading) {
      this.#queue.push(element);
      elementWaits(element);
      return;
    }
    const answer = this.#dispatch(element);
    if (answer instanceof Promise) this.#wait(answer);
  }

  /**
   * A handler really waits: nothing more is taken until it is done, and order is kept. Nor is it read (back-pressure), but
   * for what comes next, which then waits here: most often it is over before anything comes. What is to begin anew, as TLS
   * does, must find nothing here.
   */
  #wait(answer: Promise<void>): void {
    this.#waiting = true;
    if (this.#consumer === undefined) this.transport.pause();
    const goOn = () => {
      this.#waiting = false;
      this.#goOn();
    };
    answer.then(goOn, (error) => {
      this.fail(error);
      goOn();
    });
  }

  /** Takes up what was read while nothing could be taken, then reads on. */
  #goOn(): void {
    while (this.reading && !this.#closed) {
      const next = this.#queue.shift();
      if (next === undefined) {
        if (this.#sawClose) this.close();
        else this.transport.resume();
        return;
      }
      elementTurn(next);
      try {
        this.onElement(next);
      } catch (error) {
        this.fail(error);
      }
      bytesRead();
    }
  }

  #dispatch(element: Element): Awaitable<void> {
    if (this.only !== undefined && element.ns !== this.only && element.ns !== NS.streams) {
      throw new StreamError('policy-violation', 'Nothing else may be sent now.');
    }
    const feature = this.host.features.for(element.ns);
    if (feature?.handle !== undefined) return feature.handle(this, element);
    if (this.#consumer !== undefined) return this.#consumer.receive(element);
    if (!isStanza(element)) throw new StreamError('unsupported-stanza-type'); // RFC 6120 §4.9.3.24
    return this.host.role.receive(this, element);
  }

  onStreamClose(): void {
    this.#sawClose = true;
    if (this.reading) this.close();
  }

  onClose(reason: string): void {
    this.#finish(reason, true);
    this.host.onDisconnect(this);
  }

  // --- negotiation ------------------------------------------------------------------------------------------------

  /**
   * Begins the stream anew on the same connection (RFC 6120 §4.3.3). Whatever the peer sent before it could know of
   * the restart ends the stream.
   */
  restart(): void {
    if (!this.#reader.idle || this.#queue.length > 0) {
      throw new StreamError('policy-violation', 'Something was sent before the stream could be restarted.');
    }
    this.#reader.stop();
    this.#reader = this.#newReader();
    this.#opened = false;
  }

  /** Begins TLS on the connection; a stream starts anew within it. */
  async startTls(): Promise<void> {
    // RFC 6120 §5.4.3.3: nothing that came in clear text survives
    this.#queue = [];
    this.#reader.stop();
    this.#reader = this.#newReader();
    this.#opened = false;
    this.#handshaking = true;
    try {
      await this.transport.startTls();
      this.#handshaking = false;
      this.host.onHandshake(this);
    } catch (error) {
      if (this.#handshaking) this.host.onHandshake(this, error);
      this.#finish(error instanceof Error ? error.message : String(error));
      this.transport.destroy();
    }
  }

  /** The peer has proved who it is; what follows is restart and binding. */
  authenticated(identity: Jid, mechanism: string): void {
    if (this.identity !== undefined) throw new Error('A stream has one identity.');
    this.identity = identity;
    this.mechanism = mechanism;
    this.host.onAuthenticated(this);
    this.#timer.start();
  }

  /** What had its elements has another stream now, and does not care for the end of this one. */
  release(): void {
    this.#consumer = undefined;
  }

  /** From now on all elements are the consumer's. */
  bind(consumer: StreamConsumer, limits = this.host.limitsAfter): void {
    this.#timer.stop();
    this.#consumer = consumer;
    this.#limits = limits;
    this.#reader.limits = limits;
  }

  // --- out --------------------------------------------------------------------------------------------------------

  send(text: string): void {
    if (this.#closed) return;
    if (this.#held === undefined) this.transport.write(text);
    else this.#held.push(text);
  }

  onWritten(count: number): void {
    this.host.onWritten(count);
  }

  /** What is sent from now on waits until something else is said: `proceed`. Where the stream ends before, nobody gets it. */
  hold(): void {
    this.#held ??= [];
  }

  get holding(): boolean {
    return this.#held !== undefined;
  }

  /** Does something when what is sent is written again; or when the stream is over. */
  afterHolding(act: () => void): void {
    this.#held?.push(act);
  }

  /**
   * The peer has authenticated and the stream goes on as it is, without a restart (XEP-0388 §2.6.1): `success` comes first,
   * then, where there may be something to negotiate, the features, then what waits.
   */
  proceed(success: Element, withFeatures: boolean): void {
    this.#reader.limits = this.#limits ?? this.host.limitsAfter;
    const held = this.#held;
    this.#held = undefined;
    this.sendElement(success);
    if (withFeatures) this.#sendFeatures();
    for (const each of held ?? []) typeof each === 'string' ? this.send(each) : each();
  }

  sendElement(element: Element): void {
    this.send(element.toString(NS.client));
  }

  /** Ends the stream with whatever was thrown: a StreamError as it is, all else as a fault of ours. */
  fail(error: unknown): void {
    if (error instanceof XmlLimitError) this.host.onLimit(this, limitName(error.limit, this.identity !== undefined));
    if (error instanceof StreamError) {
      this.error(error);
      return;
    }
    this.host.onFault(error, this);
    this.error(new StreamError('internal-server-error'));
  }

  error(error: StreamError): void {
    if (this.#closed) return;
    if (this.#handshaking) {
      this.cut(`stream error ${error.condition}`); // nobody would understand it
      return;
    }
    if (!this.#opened) this.#open(undefined); // RFC 6120 §4.9.1.1
    this.host.onError(this, error);
    this.transport.write(error.toText());
    this.close(`stream error ${error.condition}`, LOST.has(error.condition));
  }

  /** Closes in order (RFC 6120 §4.4). */
  close(reason = this.#sawClose ? `closed by the ${this.host.role.peer}` : 'closed by us', lost = false): void {
    if (this.#closed) return;
    if (this.#opened) this.transport.write('</stream:stream>');
    this.#finish(reason, lost);
    this.transport.end(this.host.timeouts.closeMs, () => this.host.onLimit(this, 'close-time'));
  }

  /** Cuts the connection without a word: for a peer that does not read. */
  cut(reason: string): void {
    this.#handshaking = false;
    this.#finish(reason, true);
    this.transport.destroy();
  }

  #finish(reason: string, lost = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.stop();
    clearTimeout(this.#restTimer);
    this.#reader.stop();
    this.#queue = [];
    this.host.onEnd(this);
    const consumer = this.#consumer;
    this.#consumer = undefined;
    consumer?.onStreamEnd(reason, lost);
    for (const each of this.#held?.splice(0) ?? []) if (typeof each !== 'string') each();
  }
}

/** Errors that are nobody's fault: the client is welcome to come back. */
const LOST: ReadonlySet<StreamCondition> = new Set(['connection-timeout', 'system-shutdown']);
