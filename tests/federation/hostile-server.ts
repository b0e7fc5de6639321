import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as secureConnect } from 'node:tls';
import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import type { XmlHandler } from '@parley/xmpp/xml-handler';
import { XmlReader } from '@parley/xmpp/xml-reader';
import { onTestFinished } from 'vitest';
import type { CertificatePair } from '../services/domain-certificates.ts';
import { inTime } from '../support/in-time.ts';

const LIMITS = { maxBytes: 1_000_000, maxElements: 1000, maxDepth: 50, maxAttributes: 50, maxNameLength: 1000 };

/** Somebody who connects as another server would, and does whatever a test wants. */
export class HostileServer implements XmlHandler {
  /** What came and was not asked for yet. */
  readonly inbox: Element[] = [];
  /** The id of the stream, as the header said that came last. */
  id = '';
  /** The condition of the stream error, once there is one. */
  error: string | undefined;
  #socket: Socket;
  #reader = new XmlReader(this, LIMITS, true);
  #came: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** Ends with the test. */
  static async connect(port: number): Promise<HostileServer> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const hostile = new HostileServer(socket);
    onTestFinished(() => void hostile.#socket.destroy());
    return hostile;
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      this.#reader.write(bytes);
      this.#came?.();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#came?.());
  }

  onStreamOpen(root: Element): void {
    this.id = root.attr('id') ?? '';
  }

  onElement(element: Element): void {
    if (element.is('error', NS.streams)) this.error = element.elements[0]?.name;
    else this.inbox.push(element);
  }

  onStreamClose(): void {}

  break(): void {
    this.#socket.destroy();
  }

  send(text: string | Buffer): void {
    this.#socket.write(text);
  }

  /** The next element; undefined where the connection ends first. */
  async next(): Promise<Element | undefined> {
    while (this.inbox.length === 0 && !this.closed) await this.#more();
    return this.inbox.shift();
  }

  /** Resolves with the condition of the stream error when the connection is over. */
  async gone(): Promise<string | undefined> {
    while (!this.closed) await this.#more();
    return this.error;
  }

  /** Resolves when something has come, or the end. */
  #more(): Promise<void> {
    const come = new Promise<void>((resolve) => {
      this.#came = resolve;
    });
    return inTime(come, () => `Came: ${this.inbox.join('\n') || 'nothing'}`);
  }

  /** Begins a stream, or begins anew. */
  open(from: string, to: string): void {
    this.#reader = new XmlReader(this, LIMITS, true);
    this.send(
      `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' xmlns:db='${NS.dialback}'` +
        ` from='${from}' to='${to}' version='1.0'>`,
    );
  }

  /** As far as it can go without proving anything: an encrypted stream, and what is offered on it. */
  async begin(from: string, to: string, own?: CertificatePair): Promise<Element | undefined> {
    this.open(from, to);
    await this.next();
    this.send(`<starttls xmlns='${NS.tls}'/>`);
    await this.next();
    await this.encrypt(to, own);
    this.open(from, to);
    return this.next();
  }

  async encrypt(name: string, own?: CertificatePair): Promise<void> {
    this.#socket.removeAllListeners();
    const files = own && { cert: readFileSync(own.certificate), key: readFileSync(own.key) };
    const secure = secureConnect({ socket: this.#socket, servername: name, rejectUnauthorized: false, ...files });
    await once(secure, 'secureConnect');
    this.#socket = secure;
    this.#listen();
  }
}
