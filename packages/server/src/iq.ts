import type { Element, Node } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import type { Iq } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Awaitable } from './pipeline.ts';
import type { Session } from './session/session.ts';

/** Whom a request is addressed to: one of our domains, or an account of ours (a bare JID). */
export type IqPlace = 'domain' | 'account';

export interface IqContext {
  readonly at: IqPlace;
  /** The domain, or the account, that is asked. */
  readonly to: Jid;
  readonly from: Jid;
  /** The payload: the request's one child element. */
  readonly payload: Element;
  /** The local session that asks, if one does. */
  readonly sender: Session | undefined;
}

/** What it returns is the result's content, what it throws the error. */
export type IqHandler = (iq: Iq, context: IqContext) => Awaitable<Node | readonly Node[] | undefined>;

export interface IqOptions {
  readonly at: readonly IqPlace[];
  /**
   * Who may ask: at an account only its owner unless "anyone" is said; at the domain local users unless "anyone" is
   * said, which then takes in users of other servers. The handler of "anyone" checks what its protocol asks for.
   */
  readonly allow?: 'owner' | 'local' | 'anyone';
}

interface Entry {
  readonly handler: IqHandler;
  readonly allow: NonNullable<IqOptions['allow']>;
}

/** Requests by what they ask for: type, place, namespace and name. */
export class IqTable {
  readonly #entries = new Map<string, Entry>();
  readonly #isLocal: (jid: Jid) => boolean;
  #delegate: ((iq: Iq, to: Jid) => boolean) | undefined;

  constructor(isLocal: (jid: Jid) => boolean) {
    this.#isLocal = isLocal;
  }

  get(ns: string, name: string, handler: IqHandler, options: IqOptions): void {
    this.#add('get', ns, name, handler, options);
  }

  set(ns: string, name: string, handler: IqHandler, options: IqOptions): void {
    this.#add('set', ns, name, handler, options);
  }

  #add(type: 'get' | 'set', ns: string, name: string, handler: IqHandler, options: IqOptions): void {
    for (const at of options.at) {
      const key = `${type} ${at} ${ns} ${name}`;
      if (this.#entries.has(key)) throw new Error(`There are two handlers for ${key}.`);
      this.#entries.set(key, { handler, allow: options.allow ?? (at === 'account' ? 'owner' : 'local') });
    }
  }

  /** From now on this is asked first about each request; what it takes it answers itself, sooner or later. */
  delegate(take: (iq: Iq, to: Jid) => boolean): void {
    this.#delegate = take;
  }

  /** Whether somebody else answers the request. */
  isDelegated(iq: Iq, to: Jid): boolean {
    return this.#delegate?.(iq, to) ?? false;
  }

  /** The result's content, or a promise of it. Throws or rejects with a StanzaError. */
  handle(iq: Iq, at: IqPlace, to: Jid, sender: Session | undefined): Awaitable<Node | readonly Node[] | undefined> {
    const { payload, from } = iq;
    const entry = payload && this.#entries.get(`${iq.type} ${at} ${payload.ns} ${payload.name}`);
    // RFC 6121 §8.5.1: what nobody handles and what the asker may not ask look the same to a stranger
    if (payload === undefined || from === undefined || entry === undefined || !this.#allowed(entry, at, to, from)) {
      throw new StanzaError('service-unavailable');
    }
    return entry.handler(iq, { at, to, from, payload, sender });
  }

  #allowed(entry: Entry, at: IqPlace, to: Jid, from: Jid): boolean {
    if (entry.allow === 'anyone') return true;
    if (at === 'account' && entry.allow === 'owner') return from.bareText === to.bareText;
    return this.#isLocal(from);
  }
}
