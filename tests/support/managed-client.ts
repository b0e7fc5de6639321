import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd, serialDistance } from '@parley/xmpp/serial';
import type { TestClient } from './client.ts';
import { features, plain } from './login.ts';
import { encrypted } from './network.ts';

const SM = NS.streamManagement;

/** The session was lost for good: the server did not resume it. */
export class SessionLost extends Error {}

/**
 * A client with XEP-0198 that comes back whenever its connection is lost, sends again what was not acknowledged, and
 * keeps a ledger of everything.
 */
export class ManagedClient {
  readonly jid: string;
  /** What was said to others: every body, in order. */
  readonly said: string[] = [];
  /** How many of these the server has acknowledged. */
  acknowledged = 0;
  /** What was heard: sender and body, in order. */
  readonly heard: string[] = [];
  /** For each time that the session was resumed, the milliseconds from asking for it to having it. */
  readonly resumeTimes: number[] = [];
  readonly #port: () => number;
  #client: TestClient | undefined;
  #id = '';
  #handled = 0;
  /** Stanzas that were sent, and those of them that are not acknowledged. */
  #sent = 0;
  #unacknowledged: string[] = [];
  #stopped = false;
  #coming: Promise<void> | undefined;
  readonly #changed: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];

  /** `port` is asked for at each attempt to connect. */
  constructor(jid: string, port: () => number) {
    this.jid = jid;
    this.#port = port;
  }

  async start(): Promise<void> {
    const client = await this.#logIn();
    await client.request('set', `<bind xmlns='${NS.bind}'><resource>${this.jid.split('/')[1]}</resource></bind>`);
    client.send(`<enable xmlns='${SM}' resume='true'/>`);
    const enabled = await client.take(({ ns, name }) => ns === SM && name === 'enabled');
    this.#id = enabled.attr('id') ?? '';
    this.#use(client);
    this.#send('<presence/>');
  }

  async #logIn(): Promise<TestClient> {
    const [bare = ''] = this.jid.split('/');
    const [local = '', domain = ''] = bare.split('@');
    const client = await encrypted(this.#port(), domain);
    const end = await plain(client, local, 'secret');
    if (end.name !== 'success') throw new Error(`${this.jid} does not get in: ${end}`);
    await features(client);
    return client;
  }

  #use(client: TestClient): void {
    this.#client = client;
    for (const element of client.inbox.splice(0)) this.#hear(element);
    client.onElement = (element) => this.#hear(element);
    void client.closed.then(() => {
      if (!this.#stopped && this.#client === client) this.#comeBack();
    });
  }

  #comeBack(): void {
    this.#client = undefined;
    this.#coming ??= this.#resume().finally(() => {
      this.#coming = undefined;
    });
  }

  /** Tries until there is a server again. */
  async #resume(): Promise<void> {
    for (;;) {
      let client: TestClient;
      try {
        client = await this.#logIn();
      } catch {
        if (this.#stopped) return;
        await new Promise((again) => setTimeout(again, 50)); // a server that is not there tells nobody when it comes
        continue;
      }
      const asked = performance.now();
      client.send(`<resume xmlns='${SM}' previd='${this.#id}' h='${this.#handled}'/>`);
      const answer = await Promise.race([
        client.take(({ ns, name }) => ns === SM && name !== 'r'),
        client.closed.then(() => undefined),
      ]).catch(() => undefined);
      if (answer === undefined) continue;
      if (answer.name !== 'resumed') {
        this.#stopped = true;
        for (const changed of this.#changed.splice(0)) changed();
        throw new SessionLost(`${this.jid}: ${answer}`);
      }
      this.resumeTimes.push(performance.now() - asked);
      this.#acknowledge(Number(answer.attr('h')));
      this.#use(client);
      for (const text of this.#unacknowledged) client.send(text);
      client.send(`<r xmlns='${SM}'/>`);
      return;
    }
  }

  #hear(element: Element): void {
    if (element.ns === SM) {
      if (element.name === 'r') this.#client?.send(`<a xmlns='${SM}' h='${this.#handled}'/>`);
      else if (element.name === 'a') this.#acknowledge(Number(element.attr('h')));
      if (element.name === 'a') for (const answered of this.#answers.splice(0)) answered();
      return;
    }
    if (element.ns !== NS.client) return;
    this.#handled = serialAdd(this.#handled, 1);
    const body = element.name === 'message' ? element.childText('body') : undefined;
    if (body !== undefined) this.heard.push(`${element.attr('from')} ${body}`);
    if (element.name === 'iq' && element.attr('type') === 'get') {
      this.#send(`<iq type='result' id='${element.attr('id')}' to='${element.attr('from')}'/>`);
    }
    for (const changed of this.#changed.splice(0)) changed();
  }

  #acknowledge(h: number): void {
    const first = serialAdd(this.#sent, -this.#unacknowledged.length);
    const count = serialDistance(h, first);
    for (const text of this.#unacknowledged.splice(0, Math.max(0, count))) {
      if (text.startsWith('<message')) this.acknowledged++;
    }
    for (const changed of this.#changed.splice(0)) changed();
  }

  #send(text: string): void {
    this.#sent = serialAdd(this.#sent, 1);
    this.#unacknowledged.push(text);
    this.#client?.send(`${text}<r xmlns='${SM}'/>`);
  }

  say(to: string, body: string): void {
    this.said.push(body);
    this.#send(`<message to='${to}' type='chat' id='${body}'><body>${body}</body></message>`);
  }

  /** Resolves when something was heard, acknowledged or resumed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  /** Breaks the connection; the client comes back by itself. */
  break(): void {
    this.#client?.break();
  }

  /** Ends the session in order, over a connection that has just shown to be alive. */
  async close(): Promise<void> {
    for (;;) {
      await this.#coming;
      const client = this.#client;
      const answered = new Promise<boolean>((resolve) => this.#answers.push(() => resolve(true)));
      client?.send(`<r xmlns='${SM}'/>`);
      if (client && (await Promise.race([answered, client.closed.then(() => false)]))) break;
      await new Promise(setImmediate);
    }
    this.#stopped = true;
    await this.#client?.close();
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.break();
  }
}
