import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import { XmlReader } from '@parley/xmpp/xml-reader';
import type { Floor } from './floor.ts';
import { overheard } from './log-search.ts';

/** What carries a test client's bytes. */
export interface Wire {
  send(bytes: Buffer): void;
  onData(listener: (bytes: Buffer) => void): void;
  onEnd(listener: () => void): void;
  /** Breaks the connection without closing the stream. */
  break(): void;
}

const LIMITS = { maxBytes: 16_000_000, maxElements: 1e6, maxDepth: 1000, maxAttributes: 1000, maxNameLength: 10_000 };

/** It only keeps a test from waiting for ever, in milliseconds. */
const PATIENCE = 60_000;

interface Waiter {
  matches(element: Element): boolean;
  resolve(element: Element): void;
}

/** A scripted XMPP client: sends text as it is, hands out what comes in order. */
export class TestClient implements XmlHandler {
  /** The full JID, once bound. */
  jid = '';
  /** What came and was not asked for yet. */
  readonly inbox: Element[] = [];
  /** The server's stream header, the newest. */
  header: Element | undefined;
  /** What the server offered last. */
  features: Element | undefined;
  /** Is heard without waiting until what others have said has had its effect, where there are several nodes. */
  impatient = false;
  readonly #wire: Wire;
  readonly #floor: Floor | undefined;
  /** How long something may take that it waits for, in milliseconds. */
  patience = PATIENCE;
  readonly #waiters: Waiter[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #reader = new XmlReader(this, LIMITS);
  /** The stream is to be opened anew (RFC 6120 §6.4.6). */
  #restarts = false;
  #ids = 0;

  /** Where there are several nodes, it speaks when it has the floor. */
  constructor(wire: Wire, floor?: Floor) {
    this.#wire = wire;
    this.#floor = floor;
    wire.onData((bytes) => this.#read(bytes));
    wire.onEnd(() => this.#closed.resolve());
  }

  get bare(): string {
    return this.jid.split('/')[0] as string;
  }

  // --- out --------------------------------------------------------------------------------------------------------

  send(text: string): void {
    overheard(text);
    this.sendBytes(Buffer.from(text));
  }

  sendBytes(bytes: Buffer): void {
    this.#do(() => this.#wire.send(bytes));
  }

  #do(act: () => void): void {
    if (this.#floor === undefined) act();
    else this.#floor.take(this, act);
  }

  /** Sends a stream header, on a new connection or to restart the stream. */
  open(domain: string, from?: string): void {
    this.#reader = new XmlReader(this, LIMITS);
    this.#restarts = false;
    this.send(
      `<?xml version='1.0'?><stream:stream${from === undefined ? '' : ` from='${from}'`} to='${domain}' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
    );
  }

  /** Sends a request and resolves with its result or error; everything else stays in the inbox. */
  async request(type: 'get' | 'set', content: string, to?: string): Promise<Element> {
    const id = `q${++this.#ids}`;
    this.send(`<iq type='${type}' id='${id}'${to === undefined ? '' : ` to='${to}'`}>${content}</iq>`);
    return this.take((element) => element.name === 'iq' && element.attr('id') === id);
  }

  // --- in ---------------------------------------------------------------------------------------------------------

  /** A node that stops may end the next stream in the same piece of bytes as it tells of the success: the connection is lost then. */
  #read(bytes: Buffer): void {
    try {
      this.#reader.write(bytes);
    } catch (error) {
      if (!this.#restarts) throw error;
      this.break();
    }
  }

  onStreamOpen(root: Element): void {
    this.header = root;
  }

  onElement(element: Element): void {
    if (element.is('features', NS.streams)) this.features = element;
    if (element.ns === NS.sasl || element.ns === NS.sasl2) overheard(String(element));
    if (element.is('success', NS.sasl)) this.#restarts = true;
    const index = this.#waiters.findIndex((waiter) => waiter.matches(element));
    if (index === -1) this.inbox.push(element);
    else this.#waiters.splice(index, 1)[0]?.resolve(element);
  }

  onStreamClose(): void {
    this.#reader.stop();
  }

  /** The first element that matches, come already or still to come within so many milliseconds. */
  take(matches: (element: Element) => boolean, patience = this.patience): Promise<Element> {
    const index = this.inbox.findIndex(matches);
    if (index !== -1) return Promise.resolve(this.inbox.splice(index, 1)[0] as Element);
    const { promise, resolve, reject } = Promise.withResolvers<Element>();
    const waiter = { matches, resolve };
    this.#waiters.push(waiter);
    const timer = setTimeout(() => {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      reject(new Error(`Nothing matched. Came: ${this.inbox.map(String).join('\n') || 'nothing'}`));
    }, patience);
    void this.#closed.promise.then(() => reject(new Error('The connection was closed.')));
    return promise.finally(() => clearTimeout(timer));
  }

  /** The next element, whatever it is. */
  next(): Promise<Element> {
    return this.take(() => true);
  }

  /** The next message, presence or iq; with a sender, the next from them. */
  nextMessage(from?: string): Promise<Element> {
    return this.#nextStanza('message', from);
  }

  nextPresence(from?: string): Promise<Element> {
    return this.#nextStanza('presence', from);
  }

  nextIq(from?: string): Promise<Element> {
    return this.#nextStanza('iq', from);
  }

  #nextStanza(name: string, from: string | undefined): Promise<Element> {
    return this.take((element) => element.name === name && (from === undefined || element.attr('from') === from));
  }

  /**
   * Everything that the server had sent by now: a request goes to it and back, and what came before the answer is
   * given and taken out of the inbox. Shows that something did not come, without waiting for time to pass. Where there
   * are several nodes, all that was said until now has had its effect on each of them.
   */
  async sync(): Promise<Element[]> {
    await this.request('get', `<query xmlns='urn:example:sync'/>`, this.bare.split('@')[1]);
    await this.#floor?.settled();
    return this.inbox.splice(0);
  }

  /** Resolves when the server has closed the connection. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  // --- end --------------------------------------------------------------------------------------------------------

  /** Closes the stream in order. */
  async close(): Promise<void> {
    this.send('</stream:stream>');
    await this.closed;
  }

  /** Breaks the connection. */
  break(): void {
    this.#do(() => this.#wire.break());
  }
}
