import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { serialAdd, serialDistance } from '@parley/xmpp/serial';
import { XmlReader } from '@parley/xmpp/xml-reader';
import type { Connection } from './connection.ts';
import type { Ledger, SessionEntry } from './ledger.ts';
import type { Random } from './random.ts';

const SM = NS.streamManagement;
const LIMITS = { maxBytes: 1e6, maxElements: 1e5, maxDepth: 100, maxAttributes: 100, maxNameLength: 1000 };
const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;

/** Errors with which a server may end a stream that nothing is wrong with. */
const FAIR = new Set(['conflict', 'resource-constraint', 'system-shutdown', 'connection-timeout']);

/** An error that a message of its own came to, or a copy of that message (XEP-0280). */
const NOT_FOR_IT = /<error |<sent /;

/** Milliseconds after which a node that goes on knows whether others took it for dead. */
const TOGETHER = 30_000;

/** Milliseconds for which an attempt to bind a resource may be under way after its client has given it up. */
const ABANDONED = 10_000;

/** What a client knows of its session. */
interface OwnSession extends SessionEntry {
  /** By which it is resumed. */
  readonly id: string;
  readonly maxMilliseconds: number;
  /** Stanzas that it has got. */
  handled: number;
  sent: number;
  /** What the server has not acknowledged; `id` where it is a message. */
  unacknowledged: { readonly text: string; readonly id: string | undefined }[];
  messages: number;
  /** An earlier attempt of its client may still bind the resource, and so end it. */
  readonly displaceable: boolean;
  /** Since when it has no connection; undefined while it has one. */
  lostAt: number | undefined;
  /** Since when other nodes may take the node that it is connected to for dead, and its session over; and since when not. */
  apartAt: number | undefined;
  togetherAt: number | undefined;
  /** The connection on which it was so. */
  apartOn: Connection | undefined;
}

export type DeviceState = 'offline' | 'opening' | 'resuming' | 'binding' | 'enabling' | 'online' | 'closing';

export interface DeviceHost {
  readonly ledger: Ledger;
  readonly random: Random;
  /** Milliseconds. */
  now(): number;
}

/** Since when a session may wait for its client, which need not know of it. */
const waitsSince = ({ lostAt, apartAt }: OwnSession, now: number): number => Math.min(lostAt ?? now, apartAt ?? now);

/** A client with XEP-0198 as it ought to be: it sends again what was not acknowledged, and tells the ledger everything. */
export class Device {
  readonly jid: string;
  readonly account: string;
  readonly #place: number;
  state: DeviceState = 'offline';
  available = false;
  /** The server has asked for an acknowledgement. */
  asked = false;
  session: OwnSession | undefined;
  connection: Connection | undefined;
  readonly #host: DeviceHost;
  #reader: XmlReader | undefined;
  #sessions = 0;
  /** It asked for a session that can be resumed and does not know whether it has one. */
  #enabling = false;
  /** Since when its node may count as dead although the device has no session yet, or knows of none. */
  #apartAt: number | undefined;
  /** When it lost a connection before it knew whether a resource was bound. */
  #abandonedAt = Number.NEGATIVE_INFINITY;

  constructor(jid: string, place: number, host: DeviceHost) {
    this.jid = jid;
    this.#place = place;
    this.account = jid.split('/')[0] as string;
    this.#host = host;
  }

  /** Everything that it said is acknowledged, and it owes nothing. */
  get atRest(): boolean {
    return this.state === 'online' && this.session?.unacknowledged.length === 0 && !this.asked;
  }

  /** A connection on which it is authenticated already. */
  connect(connection: Connection): void {
    this.connection = connection;
    this.state = 'opening';
    this.#apartAt = undefined;
    this.#reader = new XmlReader(
      {
        onStreamOpen: () => {},
        onElement: (element) => this.#hear(element),
        onStreamClose: () => {},
      },
      LIMITS,
    );
    connection.send(HEADER);
  }

  // --- what comes ---------------------------------------------------------------------------------------------------

  onText(text: string): void {
    try {
      this.#reader?.write(Buffer.from(text));
    } catch (error) {
      this.#host.ledger.violate(`XML ${this.jid} cannot read what it is sent: ${error}`);
    }
  }

  /** What a server hands to a connection without XEP-0198 counts as delivered. */
  onLost(text: string, counted: boolean): void {
    if (counted || !text.startsWith('<message ') || NOT_FOR_IT.test(text)) return;
    const id = /<body>([^<]*)/.exec(text)?.[1];
    if (id !== undefined) this.#host.ledger.handedOver(id);
  }

  onEnd(): void {
    if (this.state === 'binding' || this.state === 'enabling') this.#abandonedAt = this.#host.now();
    this.#reader?.stop();
    this.#reader = undefined;
    this.connection = undefined;
    this.state = 'offline';
    this.asked = false;
    if (this.session !== undefined) this.session.lostAt ??= this.#host.now();
  }

  #hear(element: Element): void {
    if (element.ns === NS.streams) {
      if (element.name === 'features') this.#begin();
      else this.#hearStreamError(element);
    } else if (element.ns === SM) {
      this.#hearManagement(element);
    } else if (element.ns === NS.client) {
      this.#hearStanza(element);
    }
  }

  #hearStreamError(element: Element): void {
    const condition = element.firstChild?.name ?? '';
    if (!FAIR.has(condition)) this.#host.ledger.violate(`STREAM ${this.jid} is told ${element}`);
  }

  #begin(): void {
    if (this.session === undefined) {
      this.#bind();
    } else {
      this.state = 'resuming';
      this.#write(`<resume xmlns='${SM}' previd='${this.session.id}' h='${this.session.handled}'/>`);
    }
  }

  #bind(): void {
    this.state = 'binding';
    const { ledger } = this.#host;
    // another attempt may have made a session that it never knew of, and which ends now
    if (this.#enabling) ledger.ending.begin(this.account, this.jid, ledger.now);
    const resource = this.jid.split('/')[1];
    this.#write(`<iq type='set' id='bind'><bind xmlns='${NS.bind}'><resource>${resource}</resource></bind></iq>`);
  }

  #hearManagement(element: Element): void {
    const h = Number(element.attr('h'));
    switch (element.name) {
      case 'r':
        this.asked = true;
        return;
      case 'a':
        this.#acknowledged(h);
        return;
      case 'enabled':
        this.#enabled(element);
        return;
      case 'resumed':
        this.#resumed(h);
        return;
      case 'failed':
        this.#failed(element);
    }
  }

  #enabled(element: Element): void {
    const name = `${this.jid}#${this.#place}.${++this.#sessions}`;
    const displaceable = this.#host.now() - this.#abandonedAt < ABANDONED;
    this.session = {
      ...this.#entry(name),
      id: element.attr('id') ?? '',
      maxMilliseconds: Number(element.attr('max')) * 1000,
      handled: 0,
      sent: 0,
      unacknowledged: [],
      messages: 0,
      displaceable,
      lostAt: undefined,
      // what tells of the session may have been on its way while the session waited on another node, and ended
      apartAt: this.#apartAt,
      togetherAt: undefined,
      apartOn: this.connection,
    };
    this.state = 'online';
    this.#enabling = false;
    const { ledger } = this.#host;
    ledger.ending.end(this.account, this.jid, ledger.now);
    if (displaceable) ledger.ending.begin(this.account, name, ledger.now);
    if (this.#host.random.chance(0.3)) this.#send(`<iq type='set' id='c'><enable xmlns='${NS.carbons}'/></iq>`);
    this.setAvailable(true);
  }

  #entry(name: string): SessionEntry {
    return { name, account: this.account, received: new Map(), last: new Map() };
  }

  #resumed(h: number): void {
    const { session } = this;
    if (session === undefined) return;
    const { ledger } = this.#host;
    this.state = 'online';
    session.lostAt = undefined;
    // a node that stood still may say so of a session that others have ended by now
    if (session.apartOn !== this.connection) session.apartAt = session.togetherAt = undefined;
    ledger.ending.end(this.account, this.jid, ledger.now);
    this.#acknowledged(h);
    for (const { text } of session.unacknowledged) this.#write(text);
    if (session.unacknowledged.length > 0) this.request();
  }

  #failed(element: Element): void {
    const { session } = this;
    if (this.state === 'enabling' || session === undefined) {
      this.close(); // there is a session, but one that does not outlive its connection
      return;
    }
    if (element.firstChild?.name !== 'item-not-found') {
      this.#write('</stream:stream>'); // another attempt may do better
      this.state = 'closing';
      return;
    }
    const { ledger, now } = this.#host;
    const waited = now() - waitsSince(session, now());
    if (waited < session.maxMilliseconds && !session.displaceable)
      ledger.violate(`GONE ${session.name}, after ${waited} ms: ${element}`);
    // an `h` would tell what was dealt with, but not how: errors for a session that is gone are nobody's
    this.forget();
    this.#bind();
  }

  /** Its client knows nothing of its session any more, or was started anew. */
  forget(): void {
    this.#mayEnd();
    this.session = undefined;
    this.available = false;
  }

  /** Its session is over, or may be. */
  #mayEnd(): void {
    const { ledger } = this.#host;
    ledger.ending.begin(this.account, this.jid, ledger.now);
  }

  /** Time goes by: the session may not have waited so long. `apart`: the other nodes hear nothing of the device's. */
  wait(apart: boolean): void {
    const { session } = this;
    const now = this.#host.now();
    if (session === undefined) {
      if (apart) this.#apartAt ??= now;
      return;
    }
    if (apart) {
      session.apartAt ??= now;
      session.togetherAt = undefined;
      session.apartOn = this.connection;
    } else if (session.apartAt !== undefined && this.connection === session.apartOn) {
      session.togetherAt ??= now;
      if (now - session.togetherAt > TOGETHER) session.apartAt = session.togetherAt = undefined;
    }
    if (now - waitsSince(session, now) >= session.maxMilliseconds) this.#mayEnd();
  }

  #acknowledged(h: number): void {
    const { session } = this;
    if (session === undefined) return;
    const count = serialDistance(h, serialAdd(session.sent, -session.unacknowledged.length));
    if (count < 0 || count > session.unacknowledged.length) {
      this.#host.ledger.violate(
        `COUNT ${session.name}: h=${h} of ${session.sent}, ${session.unacknowledged.length} open`,
      );
    }
    for (const { id } of session.unacknowledged.splice(0, Math.max(0, count))) {
      if (id !== undefined) this.#host.ledger.acknowledge(id);
    }
  }

  #hearStanza(element: Element): void {
    if (this.state === 'binding') {
      if (element.attr('id') === 'bind') this.#bound(element.attr('type') === 'result');
      return;
    }
    const { session } = this;
    if (session !== undefined) session.handled = serialAdd(session.handled, 1);
    // before `<enabled/>` what comes is not counted, but had
    if (element.name === 'message')
      this.#hearMessage(element, session ?? this.#entry(`${this.jid}#${this.#place}.${this.#sessions}+`));
  }

  #bound(done: boolean): void {
    if (!done) {
      this.close();
      return;
    }
    this.state = 'enabling';
    this.#enabling = true;
    this.#write(`<enable xmlns='${SM}' resume='true'/>`);
  }

  #hearMessage(element: Element, session: SessionEntry): void {
    const { ledger } = this.#host;
    for (const how of ['sent', 'received'] as const) {
      const copied = element.child(how, NS.carbons)?.child('forwarded', NS.forward)?.child('message', NS.client);
      if (copied === undefined) continue;
      const id = copied.childText('body'); // an error has none
      if (id !== undefined) ledger.received(session, id, how);
      return;
    }
    const stored = element.child('delay', NS.delay)?.text === 'Offline Storage';
    if (element.attr('type') === 'error') ledger.refused(session, element.attr('id') ?? '');
    else ledger.received(session, element.childText('body') ?? '', 'direct', stored);
  }

  // --- what it does -------------------------------------------------------------------------------------------------

  #write(text: string): void {
    this.connection?.send(text);
  }

  #send(text: string, id?: string): void {
    const { session } = this;
    if (session === undefined) return;
    session.sent = serialAdd(session.sent, 1);
    session.unacknowledged.push({ text, id });
    if (this.state === 'online') this.#write(text);
  }

  /** Says something; while it is offline that waits. */
  say(to: string): void {
    const { session } = this;
    if (session === undefined) return;
    const id = this.#host.ledger.said(session, ++session.messages, to);
    this.#send(`<message to='${to}' type='chat' id='${id}'><body>${id}</body></message>`, id);
  }

  setAvailable(available: boolean): void {
    this.available = available;
    this.#send(available ? '<presence/>' : `<presence type='unavailable'/>`);
  }

  /** Asks for an acknowledgement. */
  request(): void {
    if (this.state === 'online') this.#write(`<r xmlns='${SM}'/>`);
  }

  acknowledge(): void {
    this.asked = false;
    if (this.state === 'online') this.#write(`<a xmlns='${SM}' h='${this.session?.handled}'/>`);
  }

  /** It is gone for good. */
  leave(): void {
    this.connection?.cut(this.#host.random);
    this.forget();
  }

  /** Ends its session in order. */
  close(): void {
    this.#write('</stream:stream>');
    this.forget();
    this.state = 'closing';
  }
}
