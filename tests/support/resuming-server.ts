import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd, serialDistance } from '@parley/xmpp/serial';

const SM = NS.streamManagement;

/** An authenticated stream to a server, as another server has it. */
export interface ServerLink {
  send(text: string): void;
  /** The next element; undefined where the stream is over first. */
  next(): Promise<Element | undefined>;
  break(): void;
}

/**
 * Another server of the tests that resumes its stream (XEP-0198) and sends again, in order, what was not acknowledged.
 * `connect` gives it a new stream each time.
 */
export class ResumingServer {
  /** Numbers that it was told, by `<a/>` and `<resumed/>`. */
  readonly told: number[] = [];
  id = '';
  readonly #connect: () => Promise<ServerLink>;
  #link: ServerLink | undefined;
  #sent = 0;
  #unacknowledged: string[] = [];

  constructor(connect: () => Promise<ServerLink>) {
    this.#connect = connect;
  }

  /** Stanzas that were sent and not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Begins a stream that can be resumed. */
  async start(): Promise<void> {
    this.#link = await this.#connect();
    this.#link.send(`<enable xmlns='${SM}' resume='true'/>`);
    const enabled = await this.#answer();
    this.id = enabled?.attr('id') ?? '';
    if (this.id === '') throw new Error(`It cannot be resumed: ${enabled}`);
  }

  /** Sends a stanza now, or with whatever is sent again. */
  send(text: string): void {
    this.#sent = serialAdd(this.#sent, 1);
    this.#unacknowledged.push(text);
    this.#link?.send(text);
  }

  /** Asks until everything is acknowledged. */
  async acknowledged(): Promise<void> {
    while (this.unacknowledged > 0) {
      if (this.#link === undefined) throw new Error('There is no stream.');
      await this.ask();
    }
  }

  /** Asks once, and waits for the answer. */
  async ask(): Promise<void> {
    this.#link?.send(`<r xmlns='${SM}'/>`);
    const answer = await this.#answer();
    if (answer?.name !== 'a') throw new Error(`No acknowledgement, but ${answer}`);
    this.#acknowledge(answer);
  }

  break(): void {
    this.#link?.break();
    this.#link = undefined;
  }

  /** Goes on with its stream on a new connection; tries again where that is lost, too, and nowhere else. */
  async resume(): Promise<void> {
    for (;;) {
      this.break();
      const link = await this.#connect();
      link.send(`<resume xmlns='${SM}' previd='${this.id}' h='0'/>`);
      this.#link = link;
      const answer = await this.#answer();
      if (answer === undefined) continue;
      if (answer.name !== 'resumed') throw new Error(`It is not resumed: ${answer}`);
      this.#acknowledge(answer);
      for (const text of this.#unacknowledged) link.send(text);
      return;
    }
  }

  async #answer(): Promise<Element | undefined> {
    for (;;) {
      const element = await this.#link?.next();
      if (element === undefined || element.ns === SM) return element;
      if (element.is('error', NS.streams)) throw new Error(`The stream is over: ${element}`);
    }
  }

  #acknowledge(answer: Element): void {
    const h = Number(answer.attr('h'));
    this.told.push(h);
    const count = serialDistance(h, serialAdd(this.#sent, -this.#unacknowledged.length));
    if (count < 0 || count > this.#unacknowledged.length)
      throw new Error(`It was told ${answer}, and sent ${this.#sent}.`);
    this.#unacknowledged.splice(0, count);
  }
}
