import { PeerConnection, type PeerContext } from '@parley/server/net/peer-connection';
import type { Element } from '@parley/xmpp/element';
import { escapeAttribute } from '@parley/xmpp/escape';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { ScramClient } from '@parley/xmpp/sasl/scram-client';
import type { ScramHash } from '@parley/xmpp/sasl/scram-verifier';
import { XmlReader } from '@parley/xmpp/xml-reader';
import { Failed } from './exit.ts';

export interface TrialServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, not STARTTLS. */
  readonly directTls: boolean;
  readonly context: PeerContext;
  /** Whether the certificate has to be good. */
  readonly verified: boolean;
}

const LIMITS = { maxBytes: 1_048_576, maxElements: 10_000, maxDepth: 64, maxAttributes: 256, maxNameLength: 1024 };
const CLOSE_MS = 1000;

/** Best first. */
const SCRAM: readonly ScramHash[] = ['SHA-512', 'SHA-256', 'SHA-1'];

/** A client that logs in, to see whether one can. Whatever fails is a Failed, which says what. */
export class TrialClient implements AsyncDisposable {
  readonly account: Jid;
  /** What the server has called it. */
  fullJid = '';
  /** By which it has logged in. */
  mechanism = '';
  /** How the connection is encrypted, and what the server has shown, for people. */
  encryption = '';
  readonly #server: TrialServer;
  readonly #connection: PeerConnection;
  readonly #signal: AbortSignal;
  readonly #came: Element[] = [];
  #reader: XmlReader | undefined;
  #waiting: (() => void)[] = [];
  #over: string | undefined;

  private constructor(account: Jid, server: TrialServer, connection: PeerConnection, signal: AbortSignal) {
    this.account = account;
    this.#server = server;
    this.#connection = connection;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#end('there was no answer in time'));
    connection.handler = {
      onData: (bytes) => this.#read(bytes),
      onClose: (reason) => this.#end(reason),
    };
  }

  /** Connects, encrypts, logs in and binds a resource. */
  static async logIn(account: Jid, password: string, server: TrialServer, signal: AbortSignal): Promise<TrialClient> {
    const { host, port } = server;
    const connection = await PeerConnection.open(host, port, signal).catch((error) => {
      throw new Failed(`No connection to ${host}, port ${port}: ${error.message}.`);
    });
    const client = new TrialClient(account, server, connection, signal);
    try {
      if (!server.directTls) await client.#startTls();
      else await client.#encrypt();
      await client.#authenticate(await client.#open(), password);
      await client.#open();
      await client.#bind();
      return client;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  async #startTls(): Promise<void> {
    const features = await this.#open();
    if (features.child('starttls', NS.tls) === undefined) throw new Failed('The server offers no encryption.');
    this.send(`<starttls xmlns='${NS.tls}'/>`);
    const answer = await this.take(({ ns }) => ns === NS.tls);
    if (answer.name !== 'proceed') throw new Failed('The server refuses encryption, though it offers it.');
    await this.#encrypt();
  }

  async #encrypt(): Promise<void> {
    const { context, verified } = this.#server;
    const { domain } = this.account;
    const proof = await this.#connection.startTls(context, domain, false, this.#signal).catch((error) => {
      throw new Failed(`The connection could not be encrypted: ${error.message}.`);
    });
    const { shown, certificate } = proof;
    const whose = shown && `${shown.subject}, by ${shown.issuer}, until ${shown.validTo.toISOString().slice(0, 10)}`;
    this.encryption = `${proof.protocol}, ${whose ?? 'no certificate'}`;
    if (!verified) return;
    if (proof.fault !== undefined) {
      throw new Failed(`The certificate is not good (${proof.fault}): ${whose}. Clients will refuse it, too.`);
    }
    // RFC 6125 §6.4: any of its names
    if (certificate?.checkHost(domain) === undefined) {
      throw new Failed(`The certificate is not for ${domain}: it names ${certificate?.subjectAltName ?? 'nobody'}.`);
    }
  }

  async #authenticate(features: Element, password: string): Promise<void> {
    const offered = features.child('mechanisms', NS.sasl)?.elements.map(({ text }) => text) ?? [];
    const { local } = this.account;
    const hash = SCRAM.find((each) => offered.includes(`SCRAM-${each}`));
    this.mechanism = hash === undefined ? 'PLAIN' : `SCRAM-${hash}`;
    if (hash === undefined) {
      if (!offered.includes('PLAIN'))
        throw new Failed(`No mechanism suits: there are ${offered.join(', ') || 'none'}.`);
      if (!this.#server.verified) {
        throw new Failed('Only PLAIN is offered, and the certificate is not to be checked: the password is not sent.');
      }
      this.#auth(`\0${local}\0${password}`);
      await this.#saslAnswer('success');
      return;
    }
    const scram = new ScramClient(hash, local, password);
    this.#auth(scram.first);
    try {
      const final = await scram.final(textOf(await this.#saslAnswer('challenge')));
      this.send(`<response xmlns='${NS.sasl}'>${Buffer.from(final).toString('base64')}</response>`);
      scram.verify(textOf(await this.#saslAnswer('success')));
    } catch (error) {
      throw error instanceof Failed ? error : new Failed(`${this.account} cannot log in: ${(error as Error).message}`);
    }
  }

  #auth(text: string): void {
    const data = Buffer.from(text).toString('base64');
    this.send(`<auth xmlns='${NS.sasl}' mechanism='${this.mechanism}'>${data}</auth>`);
  }

  async #saslAnswer(expected: string): Promise<Element> {
    const answer = await this.take(({ ns }) => ns === NS.sasl);
    if (answer.name === expected) return answer;
    const why = answer.childText('text', NS.sasl);
    const condition = answer.firstChild?.name ?? answer.name;
    throw new Failed(`${this.account} cannot log in by ${this.mechanism}: ${condition}${why ? ` (${why})` : ''}.`);
  }

  async #bind(): Promise<void> {
    const bound = await this.request('set', `<bind xmlns='${NS.bind}'/>`);
    this.fullJid = bound.child('bind', NS.bind)?.childText('jid', NS.bind) ?? '';
    if (this.fullJid === '') throw new Failed(`${this.account} gets no resource: ${bound}`);
  }

  /** Sends a stream header, and resolves with what the server offers then. */
  #open(): Promise<Element> {
    this.#reader?.stop();
    this.#reader = new XmlReader(
      { onStreamOpen() {}, onElement: (element) => this.#onElement(element), onStreamClose() {} },
      LIMITS,
    );
    const to = escapeAttribute(this.account.domain);
    this.send(
      `<?xml version='1.0'?><stream:stream to='${to}' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
    );
    return this.take((element) => element.is('features', NS.streams));
  }

  /** The result of a request to its account. */
  async request(type: 'get' | 'set', content: string): Promise<Element> {
    const id = `t${Math.random().toString(36).slice(2)}`;
    this.send(`<iq type='${type}' id='${id}'>${content}</iq>`);
    return this.take((element) => element.name === 'iq' && element.attr('id') === id);
  }

  send(text: string): void {
    this.#connection.write(text);
  }

  /** The first element that matches, come already or still to come. */
  async take(matches: (element: Element) => boolean): Promise<Element> {
    for (;;) {
      const index = this.#came.findIndex(matches);
      if (index !== -1) return this.#came.splice(index, 1)[0] as Element;
      if (this.#over !== undefined) throw new Failed(`The connection of ${this.account} is over: ${this.#over}.`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #read(bytes: Buffer): void {
    try {
      this.#reader?.write(bytes);
    } catch (error) {
      this.#end(`the server does not speak XMPP (${(error as Error).message})`);
    }
  }

  #onElement(element: Element): void {
    if (element.is('error', NS.streams)) {
      const why = element.childText('text', NS.streamErrors);
      this.#end(`the server says ${element.firstChild?.name}${why ? ` (${why})` : ''}`);
    } else {
      this.#came.push(element);
      this.#wake();
    }
  }

  #end(reason: string): void {
    this.#over ??= reason;
    this.#wake();
  }

  /** Whoever waits looks again. */
  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over === undefined) this.send('</stream:stream>');
    const closed = Promise.withResolvers<void>();
    this.#connection.handler = { onData() {}, onClose: () => closed.resolve() };
    if (this.#over !== undefined) return this.#connection.destroy();
    this.#over = 'it is closed';
    this.#connection.end(CLOSE_MS);
    await closed.promise;
  }
}

const textOf = (element: Element): string => Buffer.from(element.text, 'base64').toString();
