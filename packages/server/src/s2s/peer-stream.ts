import type { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import { XmlReader } from '@parley/xmpp/xml-reader';
import type { PeerConnection, PeerHandler } from '../net/peer-connection.ts';
import { type Rate, TokenBucket } from '../net/token-bucket.ts';
import type { Written } from '../net/written.ts';
import { langOf, OUR_LANG } from '../stream/stream-lang.ts';
import { bytesCame, bytesRead } from '../tracing/arrival.ts';
import { ConnectionFailure, type ConnectionStep, type FailureDetails } from './connection-failure.ts';

export interface PeerStreamSettings {
  readonly limits: XmlLimits;
  /** Time for the other side to answer. */
  readonly stepMs: number;
  /** Time for it to close its side. */
  readonly closeMs: number;
}

/** What somebody may send who sends stanzas, too (XEP-0288). */
export interface Admission {
  readonly limits: XmlLimits;
  rate(): Rate;
}

/** What takes the elements of a stream once it is set up. */
export interface PeerStreamConsumer {
  onElement(element: Element): void;
  /** Called once. */
  onEnd(reason: string): void;
}

/** What somebody may send ahead of being asked. */
const MOST_AHEAD = 8;
/** The same where stanzas may be among it. */
const MOST_STANZAS_AHEAD = 200;
/** Another server has little to say on a stream of ours. */
const RATE: Rate = { perSecond: 20_000, burst: 100_000 };

/**
 * The XML stream on a connection that this server has made: its own header and what it writes go out, and what comes
 * back is asked for one by one until somebody takes all of it. Whatever the other side does, it costs no more than the
 * limits allow, and nobody waits longer than a step may take.
 */
export class PeerStream implements XmlHandler, PeerHandler {
  readonly connection: PeerConnection;
  /** The other side's id of this stream. */
  id = '';
  /** The language of its header. */
  lang = OUR_LANG;
  readonly #local: string;
  readonly #remote: string;
  readonly #settings: PeerStreamSettings;
  #reader: XmlReader;
  #arrived: Element[] = [];
  #contentNs = '';
  #waiting: ((element?: Element) => void) | undefined;
  #consumer: PeerStreamConsumer | undefined;
  #bucket = new TokenBucket(RATE, performance.now());
  #admitted: Admission | undefined;
  /** Nothing is read: too much came, or more than the consumer can take. */
  #resting = false;
  #held = false;
  #opened = false;
  /** Why it is over. */
  #end: { readonly reason: string; readonly details: FailureDetails } | undefined;

  constructor(connection: PeerConnection, local: string, remote: string, settings: PeerStreamSettings) {
    this.connection = connection;
    this.#local = local;
    this.#remote = remote;
    this.#settings = settings;
    this.#reader = this.#newReader();
    connection.handler = this;
  }

  #newReader(): XmlReader {
    return new XmlReader(this, this.#admitted?.limits ?? this.#settings.limits, true);
  }

  get over(): boolean {
    return this.#end !== undefined;
  }

  /** From now on it may send as much as somebody who sends stanzas. */
  admit(admission: Admission): void {
    this.#admitted = admission;
    this.#reader.limits = admission.limits;
    this.#bucket = new TokenBucket(admission.rate(), performance.now());
  }

  /** Stops reading, for whoever cannot take more, and begins again. */
  set held(held: boolean) {
    this.#held = held;
    this.#read();
  }

  #read(): void {
    if (this.#held || this.#resting) this.connection.pause();
    else this.connection.resume();
  }

  // --- setting up -------------------------------------------------------------------------------------------------

  /** Begins a stream, or begins anew, and answers what the other side offers. Throws a ConnectionFailure. */
  async open(): Promise<Element> {
    if (this.#opened) {
      this.#reader.stop();
      this.#reader = this.#newReader();
      this.#arrived = [];
    }
    this.#opened = true;
    this.write(
      `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' xmlns:db='${NS.dialback}'` +
        ` from='${escapeAttribute(this.#local)}' to='${escapeAttribute(this.#remote)}' version='1.0' xml:lang='en'>`,
    );
    const header = await this.next('header');
    if (header.ns !== NS.streams || header.name !== 'stream' || this.#contentNs !== NS.server) {
      throw this.fail(
        'header',
        new StreamError('invalid-namespace'),
        'It speaks something else than XMPP between servers.',
      );
    }
    this.id = header.attr('id') ?? '';
    this.lang = langOf(header);
    if (!/^[1-9]/.test(header.attr('version') ?? '')) {
      throw this.fail('header', new StreamError('unsupported-version'), 'It speaks a version from before XMPP 1.0.');
    }
    const features = await this.next('features');
    if (features.ns !== NS.streams || features.name !== 'features') {
      throw this.fail('features', new StreamError('bad-format'), 'It did not say what it offers.');
    }
    return features;
  }

  /** The next element, once. Throws a ConnectionFailure where none comes in time, or the stream is over. */
  async next(step: ConnectionStep): Promise<Element> {
    const element = await this.coming(step, () => true);
    this.#arrived.shift();
    return element;
  }

  /** The next element that is wanted; it stays among the others, for whoever takes all of them. Throws as `next` does. */
  async coming(step: ConnectionStep, wanted: (element: Element) => boolean): Promise<Element> {
    while (true) {
      const element = this.#arrived.find(wanted);
      if (element !== undefined) return element;
      if (this.#end !== undefined) throw new ConnectionFailure(step, `${this.#end.reason}.`, this.#end.details);
      await this.#arrival(step);
    }
  }

  #arrival(step: ConnectionStep): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      const seconds = Math.round(this.#settings.stepMs / 1000);
      this.cut(`It did not answer within ${seconds} s (${WAITED_FOR[step]})`);
    }, this.#settings.stepMs);
    this.#waiting = () => {
      clearTimeout(timer);
      this.#waiting = undefined;
      resolve();
    };
    return promise;
  }

  /** Whether it said more than it was asked: before encryption, somebody on the way may have added it. */
  get ahead(): boolean {
    return this.#arrived.length > 0 || !this.#reader.idle;
  }

  /** Ends the stream with an error, and answers what to throw. */
  fail(step: ConnectionStep, error: StreamError, words: string, details: FailureDetails = {}): ConnectionFailure {
    this.#error(error, words);
    return new ConnectionFailure(step, words, details);
  }

  /** From now on every element is the consumer's. */
  consume(consumer: PeerStreamConsumer): void {
    this.#consumer = consumer;
    const { reason } = this.#end ?? {};
    for (const element of this.#arrived.splice(0)) consumer.onElement(element);
    if (reason !== undefined) consumer.onEnd(reason);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  onData(bytes: Buffer): void {
    if (this.#end !== undefined) return;
    const wait = this.#bucket.take(bytes.length, this.#admitted?.rate() ?? RATE, performance.now());
    if (wait > 0) {
      this.#resting = true;
      this.#read();
      setTimeout(() => {
        this.#resting = false;
        this.#read();
      }, wait).unref();
    }
    bytesCame();
    try {
      this.#reader.write(bytes);
    } catch (error) {
      this.onFault(error);
    }
    bytesRead();
  }

  /** What came could not be taken. */
  onFault(error: unknown): void {
    const stream = error instanceof StreamError ? error : new StreamError('internal-server-error');
    this.#error(stream, `What it sent was not good: ${(error as Error).message}`);
  }

  onStreamOpen(root: Element, contentNs: string): void {
    this.#contentNs = contentNs;
    this.#take(root);
  }

  onElement(element: Element): void {
    if (element.ns === NS.streams && element.name === 'error') {
      const condition = element.elements.find(({ ns, name }) => ns === NS.streamErrors && name !== 'text')?.name;
      const text = element.childText('text', NS.streamErrors);
      const words = text === undefined || text === '' ? '' : ` (${text.slice(0, 200)})`;
      this.#finish(`It ended the stream: ${condition ?? 'without a reason'}${words}`, {
        timeout: condition !== 'host-unknown' && condition !== 'host-gone',
      });
      this.#close();
      return;
    }
    if (this.#consumer !== undefined) this.#consumer.onElement(element);
    else this.#take(element);
  }

  #take(element: Element): void {
    this.#arrived.push(element);
    if (this.#arrived.length > (this.#admitted === undefined ? MOST_AHEAD : MOST_STANZAS_AHEAD)) {
      this.#error(new StreamError('policy-violation'), 'It sent more than it was asked for');
      return;
    }
    this.#waiting?.();
  }

  onStreamClose(): void {
    this.#finish('It closed the stream', { timeout: true });
    this.#close();
  }

  onClose(reason: string): void {
    this.#finish(`The connection ended: ${reason}`, { timeout: true });
  }

  // --- out --------------------------------------------------------------------------------------------------------

  write(text: string): Written | undefined {
    return this.connection.write(text);
  }

  /** Closes in order (RFC 6120 §4.4). */
  close(reason: string): void {
    if (this.#end !== undefined) return;
    this.#finish(reason, {});
    this.#close();
  }

  /** Cuts the connection: nobody waits any longer. */
  cut(reason: string): void {
    this.#finish(reason, { timeout: true });
    this.connection.destroy();
  }

  #close(): void {
    if (this.#opened) this.write('</stream:stream>');
    this.connection.end(this.#settings.closeMs);
  }

  #error(error: StreamError, reason: string): void {
    if (this.#end !== undefined) return;
    if (this.#opened) this.write(error.toText());
    this.#finish(reason.replace(/\.$/, ''), {});
    this.#close();
  }

  #finish(reason: string, details: FailureDetails): void {
    if (this.#end !== undefined) return;
    this.#end = { reason, details };
    this.#reader.stop();
    this.#waiting?.();
    this.#consumer?.onEnd(reason);
  }
}

const WAITED_FOR: Record<ConnectionStep, string> = {
  policy: 'policy',
  dns: 'DNS',
  connection: 'connection',
  header: 'the header of its stream',
  features: 'what its stream offers',
  tls: 'encryption',
  certificate: 'its certificate',
  proof: 'whether it takes us for who we are',
};
