import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd, serialDistance } from '@parley/xmpp/serial';
import type { TestClient } from './client.ts';
import { type LoginWay, PasswordLogin, type Return } from './login-ways.ts';

const SM = NS.streamManagement;

/** Milliseconds between attempts to connect: a server that is not there tells nobody when it comes. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [50, 2000];

/** All at once and without a pause, clients would keep a server that comes back busy with nothing but refusing them. */
function backOff(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 1.5 ** attempt);
  return new Promise((again) => setTimeout(again, longest * (0.5 + Math.random() / 2)));
}

/** The session was lost for good: the server did not resume it. */
export class SessionLost extends Error {}

/** The connection was closed, or the client broke it: as it was told to, or since nothing was answered. */
export type Loss = 'closed' | 'broken' | 'silent';

/** Hears what becomes of a client. */
export interface ClientObserver {
  said?(to: string, body: string): void;
  /** So many more of what was said, the oldest, are acknowledged. */
  acknowledged?(count: number): void;
  heard?(from: string, body: string): void;
  /** A presence of this type, '' where it has none. */
  presence?(from: string, type: string): void;
  /** What was said under this id came back as an error. */
  bounced?(id: string): void;
  /** The connection to this port is lost. */
  lost?(port: number, how: Loss): void;
  /** On this port, so many milliseconds after the connection was lost and after asking for it. */
  resumed?(port: number, sinceLost: number, sinceAsked: number): void;
  /** The session could not be resumed; what the server said. */
  refused?(answer: string): void;
}

export interface ManagedClientOptions {
  readonly observer?: ClientObserver;
  /** A connection on which no request for acknowledgement was answered for so many milliseconds is given up. */
  readonly patience?: number;
  /** False for a server that lets clients in without encryption. */
  readonly tls?: boolean;
  /** By the password where nothing is said. */
  readonly way?: LoginWay;
  /** Starts a new session where the old one cannot be resumed, and says there what was not acknowledged. */
  readonly anew?: boolean;
}

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
  /** The port of the connection that it has, or had last. */
  connectedTo = 0;
  readonly #port: () => number;
  readonly #options: ManagedClientOptions;
  readonly #way: LoginWay;
  #client: TestClient | undefined;
  #id = '';
  #handled = 0;
  /** Stanzas that were sent, and those of them that are not acknowledged. */
  #sent = 0;
  #unacknowledged: string[] = [];
  #stopped = false;
  #coming: Promise<void> | undefined;
  #lostAt = 0;
  #loss: Loss = 'closed';
  /** When the oldest request for acknowledgement was sent that is not answered. */
  #askedAt: number | undefined;
  #watch: NodeJS.Timeout | undefined;
  readonly #changed: (() => void)[] = [];
  readonly #answers: (() => void)[] = [];

  /** `port` is asked for at each attempt to connect. */
  constructor(jid: string, port: () => number, options: ManagedClientOptions = {}) {
    this.jid = jid;
    this.#port = port;
    this.#options = options;
    this.#way = options.way ?? new PasswordLogin(jid, options.tls !== false);
  }

  async start(): Promise<void> {
    this.connectedTo = this.#port();
    const client = await this.#way.logIn(this.connectedTo);
    await this.#open(client);
    this.#use(client);
    this.send('<presence/>');
    const { patience } = this.#options;
    if (patience !== undefined) this.#watch = setInterval(() => this.#look(patience), patience / 4).unref();
  }

  /** A new session that can be resumed. */
  async #open(client: TestClient): Promise<void> {
    await client.request('set', `<bind xmlns='${NS.bind}'><resource>${this.jid.split('/')[1]}</resource></bind>`);
    client.send(`<enable xmlns='${SM}' resume='true'/>`);
    const enabled = await client.take(({ ns, name }) => ns === SM && name === 'enabled');
    this.#id = enabled.attr('id') ?? '';
  }

  #use(client: TestClient): void {
    this.#client = client;
    this.#askedAt = undefined;
    for (const element of client.inbox.splice(0)) this.#hear(element);
    client.onElement = (element) => this.#hear(element);
    void client.closed.then(() => {
      if (!this.#stopped && this.#client === client) this.#comeBack();
    });
  }

  /** Finds out that a connection is dead which looks alive. */
  #look(patience: number): void {
    if (this.#client === undefined || this.#stopped) return;
    if (this.#askedAt === undefined) this.#ask();
    else if (performance.now() - this.#askedAt > patience) this.break('silent');
  }

  #ask(): void {
    this.#askedAt ??= performance.now();
    this.#client?.send(`<r xmlns='${SM}'/>`);
  }

  #comeBack(): void {
    this.#client = undefined;
    this.#lostAt = performance.now();
    this.#options.observer?.lost?.(this.connectedTo, this.#loss);
    this.#loss = 'closed';
    this.#coming ??= this.#resume().finally(() => {
      this.#coming = undefined;
    });
  }

  /** Tries until there is a server again. */
  async #resume(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      let back: Return;
      try {
        this.connectedTo = this.#port();
        back = await this.#way.comeBack(this.connectedTo, this.#id, this.#handled);
      } catch {
        if (this.#stopped) return;
        await backOff(attempt);
        continue;
      }
      const { client, asked } = back;
      if (this.#stopped) return client.break();
      const answer = back.answer ?? (await this.#answer(client));
      if (answer === undefined) {
        client.break();
        continue;
      }
      if (answer.name !== 'resumed') {
        if (await this.#refused(client, answer)) return;
        await backOff(attempt);
        continue;
      }
      const now = performance.now();
      this.resumeTimes.push(now - asked);
      this.#options.observer?.resumed?.(this.connectedTo, now - this.#lostAt, now - asked);
      this.#acknowledge(Number(answer.attr('h')));
      this.#use(client);
      for (const text of this.#unacknowledged) client.send(text);
      this.#ask();
      return;
    }
  }

  /** What is said of the session that was asked for; undefined where the connection is lost. */
  #answer(client: TestClient): Promise<Element | undefined> {
    return Promise.race([
      client.take(({ ns, name }) => ns === SM && name !== 'r'),
      client.closed.then(() => undefined),
    ]).catch(() => undefined);
  }

  /** True where the client has a session again. */
  async #refused(client: TestClient, answer: Element): Promise<boolean> {
    this.#options.observer?.refused?.(String(answer));
    if (!this.#options.anew) {
      this.#stopped = true;
      for (const changed of this.#changed.splice(0)) changed();
      throw new SessionLost(`${this.jid}: ${answer}`);
    }
    if (answer.child('item-not-found', NS.stanzas) === undefined) {
      client.break(); // not now
      return false;
    }
    const handled = answer.attr('h');
    if (handled !== undefined) this.#acknowledge(Number(handled));
    try {
      await this.#open(client);
    } catch {
      client.break();
      return false;
    }
    const again = this.#unacknowledged.filter((text) => text.startsWith('<message'));
    this.#unacknowledged = [];
    this.#sent = 0;
    this.#handled = 0;
    this.#use(client);
    for (const text of ['<presence/>', ...again]) this.send(text);
    return true;
  }

  #hear(element: Element): void {
    if (element.ns === SM) {
      if (element.name === 'r') this.#client?.send(`<a xmlns='${SM}' h='${this.#handled}'/>`);
      else if (element.name === 'a') this.#acknowledge(Number(element.attr('h')));
      if (element.name === 'a') {
        this.#askedAt = undefined;
        for (const answered of this.#answers.splice(0)) answered();
      }
      return;
    }
    if (element.ns !== NS.client) return;
    this.#handled = serialAdd(this.#handled, 1);
    const body = element.name === 'message' ? element.childText('body') : undefined;
    if (element.name === 'presence') {
      this.#options.observer?.presence?.(element.attr('from') ?? '', element.attr('type') ?? '');
    } else if (element.name === 'message' && element.attr('type') === 'error') {
      this.#options.observer?.bounced?.(element.attr('id') ?? '');
    } else if (body !== undefined) {
      this.heard.push(`${element.attr('from')} ${body}`);
      this.#options.observer?.heard?.(element.attr('from') ?? '', body);
    }
    if (element.name === 'iq' && element.attr('type') === 'get') {
      this.send(`<iq type='result' id='${element.attr('id')}' to='${element.attr('from')}'/>`);
    }
    for (const changed of this.#changed.splice(0)) changed();
  }

  #acknowledge(h: number): void {
    const first = serialAdd(this.#sent, -this.#unacknowledged.length);
    const count = serialDistance(h, first);
    const acknowledged = this.#unacknowledged.splice(0, Math.max(0, count));
    const messages = acknowledged.filter((text) => text.startsWith('<message')).length;
    this.acknowledged += messages;
    if (messages > 0) this.#options.observer?.acknowledged?.(messages);
    for (const changed of this.#changed.splice(0)) changed();
  }

  /** Sends a stanza. It is not sent again in a new session where it is no message. */
  send(text: string): void {
    this.#sent = serialAdd(this.#sent, 1);
    this.#unacknowledged.push(text);
    if (this.#client === undefined) return;
    this.#client.send(text);
    this.#ask();
  }

  say(to: string, body: string): void {
    this.said.push(body);
    this.#options.observer?.said?.(to, body);
    this.send(`<message to='${to}' type='chat' id='${body}'><body>${body}</body></message>`);
  }

  /** Resolves when something was heard, acknowledged or resumed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  /** Breaks the connection; the client comes back by itself. */
  break(how: Loss = 'broken'): void {
    if (this.#client !== undefined) this.#loss = how;
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
    clearInterval(this.#watch);
    await this.#client?.close();
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#watch);
    this.#client?.break();
  }
}
