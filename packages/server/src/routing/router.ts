import type { Node } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import type { Iq, Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { IqPlace, IqTable } from '../iq.ts';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import { startSpan } from '../tracing/trace.ts';

/** A domain of ours that is no virtual host: a subdomain's service, a component. */
export type Service = (stanza: Stanza) => Awaitable<void>;

/** Services whose domains change while the node runs. */
export interface ServiceFinder {
  /** Who serves this domain, if anybody of theirs does. */
  find(domain: string): Service | undefined;
  /** Domains that clients are to be shown. */
  shown(): Iterable<string>;
}

export interface RouterHost {
  readonly iq: IqTable;
  isLocalDomain(domain: string): boolean;
  toAccount(stanza: Stanza, sender: Session | undefined): Awaitable<void>;
  /** The stanza is for another server. */
  sendRemote(stanza: Stanza): Awaitable<void>;
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  /** Resolves when a stanza that failed is to be tried again; undefined where it is to be answered. */
  passes(stanza: Stanza, error: unknown): Promise<void> | undefined;
  /** The answer of a local session to a request that this server sent, if it is one. */
  onAnswer(iq: Iq, sender: Session): void;
}

/** Where a stanza goes (RFC 6120 §10). */
export class Router {
  readonly #host: RouterHost;
  readonly #services = new Map<string, Service>();
  readonly #finders: ServiceFinder[] = [];

  constructor(host: RouterHost) {
    this.#host = host;
  }

  addService(domain: string, service: Service): void {
    if (this.#services.has(domain) || this.#host.isLocalDomain(domain)) throw new Error(`${domain} is served already.`);
    this.#services.set(domain, service);
  }

  removeService(domain: string): void {
    this.#services.delete(domain);
  }

  /** From now on these are asked, too; a domain that is served already stays what it is. */
  addServices(finder: ServiceFinder): void {
    this.#finders.push(finder);
  }

  /** The domains of services that clients are shown. */
  get serviceDomains(): readonly string[] {
    return [...this.#services.keys(), ...this.#finders.flatMap((finder) => [...finder.shown()])];
  }

  /** Whether a domain is one of ours, be it that of a service: what comes from another server may be for it. */
  serves(domain: string): boolean {
    return this.#host.isLocalDomain(domain) || this.service(domain) !== undefined;
  }

  /** Who serves this domain, where it is ours and no virtual host. */
  service(domain: string): Service | undefined {
    const service = this.#services.get(domain);
    if (service !== undefined) return service;
    for (const finder of this.#finders) {
      const found = finder.find(domain);
      if (found !== undefined) return found;
    }
  }

  /**
   * Hands a stanza on to where its `to` says. Never throws: what goes wrong is answered to its `from`. The promise, if
   * there is one, resolves when the stanza has been taken: delivered, stored or answered.
   */
  route(stanza: Stanza, sender?: Session): Awaitable<void> {
    const span = startSpan('xmpp.route');
    return span === undefined ? this.#route(stanza, sender) : span.around(() => this.#route(stanza, sender));
  }

  #route(stanza: Stanza, sender?: Session): Awaitable<void> {
    try {
      const answer = this.#dispatch(stanza, sender);
      if (answer instanceof Promise) return answer.catch((error) => this.#fail(stanza, error, sender));
    } catch (error) {
      return this.#fail(stanza, error, sender);
    }
  }

  #fail(stanza: Stanza, error: unknown, sender: Session | undefined): Awaitable<void> {
    const passed = this.#host.passes(stanza, error);
    if (passed !== undefined) return passed.then(() => this.route(stanza, sender));
    const answer = this.#host.errorFor(stanza, error);
    if (answer !== undefined) return this.route(answer);
  }

  #dispatch(stanza: Stanza, sender: Session | undefined): Awaitable<void> {
    const { to } = stanza;
    if (to === undefined) throw new Error('A stanza to nobody cannot be routed.');
    if (this.#host.isLocalDomain(to.domain)) {
      return to.local === '' ? this.#toDomain(stanza, to, sender) : this.#host.toAccount(stanza, sender);
    }
    const service = this.service(to.domain);
    return service === undefined ? this.#host.sendRemote(stanza) : service(stanza);
  }

  /** RFC 6120 §10.5.2: the server itself is addressed. */
  #toDomain(stanza: Stanza, to: Jid, sender: Session | undefined): Awaitable<void> {
    switch (stanza.kind) {
      case 'iq':
        return this.handleIq(stanza as Iq, 'domain', to, sender);
      case 'message':
        if (stanza.type === 'error') return;
        throw new StanzaError('service-unavailable');
      case 'presence': // nobody at the server itself is interested in presence
    }
  }

  /** Has the server answer a request to a domain or an account; results and errors find who waits for them. */
  handleIq(iq: Iq, at: IqPlace, to: Jid, sender: Session | undefined): Awaitable<void> {
    if (iq.type === 'result' || iq.type === 'error') {
      if (sender !== undefined) this.#host.onAnswer(iq, sender);
      return;
    }
    if (this.#host.iq.isDelegated(iq, to)) return;
    const content = this.#host.iq.handle(iq, at, to, sender);
    if (content instanceof Promise) return content.then((nodes) => this.#result(iq, nodes));
    return this.#result(iq, content);
  }

  #result(iq: Iq, content: Node | readonly Node[] | undefined): Awaitable<void> {
    const nodes = content === undefined ? [] : Array.isArray(content) ? content : [content as Node];
    return this.route(iq.result(...nodes));
  }
}
