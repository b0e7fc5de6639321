import { randomBytes } from 'node:crypto';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { type Iq, iq, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';

export interface ComponentRequestsHost {
  /** The id of this node. */
  readonly self: string;
  readonly peers: Peers;
  /** Hands a stanza to an instance of a component, the one for a bare address. Throws or rejects where there is none. */
  give(stanza: Stanza, domain: string, whose: string): Awaitable<void>;
}

/** What the server asks a component. */
export interface ServerRequest {
  readonly type: 'get' | 'set';
  /** One of our domains. */
  readonly from: Jid;
  /** On whose behalf: which instance is asked depends on that. */
  readonly whose: Jid;
  readonly payload: Element;
}

interface Pending {
  readonly domain: string;
  settle(answer: Iq | StanzaError): void;
}

const ANSWER = 'component.answer';

/** How long a component may take. */
const TIMEOUT_MS = 30_000;

/** Requests of one node that wait at the same time, and those of one asker: a user of ours, or another server. */
const MOST_PENDING = 10_000;
const MOST_OF_ONE = 1000;

/** Requests of the server to components, and their answers, which may come to another node. */
export class ComponentRequests implements Disposable {
  readonly #host: ComponentRequestsHost;
  readonly #pending = new Map<string, Pending>();
  readonly #askers = new Map<string, number>();

  constructor(host: ComponentRequestsHost) {
    this.#host = host;
    host.peers.on(ANSWER, (text) => {
      const answer = stanzaFromText(Buffer.from(text)) as Iq;
      this.#settle(answer, answer.from?.domain ?? '');
    });
  }

  /**
   * Resolves with the answer, be it a result or an error. Rejects with a StanzaError where there will be none.
   */
  send(domain: string, request: ServerRequest): Promise<Iq> {
    const { type, from, whose, payload } = request;
    const asker = whose.domain === from.domain ? whose.bareText : whose.domain;
    const asked = this.#askers.get(asker) ?? 0;
    if (this.#pending.size >= MOST_PENDING || asked >= MOST_OF_ONE)
      return Promise.reject(new StanzaError('resource-constraint'));
    this.#askers.set(asker, asked + 1);
    const { promise, resolve, reject } = Promise.withResolvers<Iq>();
    const id = `server-${this.#host.self}-${randomBytes(9).toString('base64url')}`;
    const timer = setTimeout(() => pending.settle(new StanzaError('remote-server-timeout')), TIMEOUT_MS).unref();
    const pending: Pending = {
      domain,
      settle: (answer) => {
        clearTimeout(timer);
        if (this.#pending.delete(id)) this.#answered(asker);
        if (answer instanceof StanzaError) reject(answer);
        else resolve(answer);
      },
    };
    this.#pending.set(id, pending);
    const failed = (error: unknown) =>
      pending.settle(error instanceof StanzaError ? error : new StanzaError('service-unavailable', { cause: error }));
    try {
      const given = this.#host.give(iq({ to: Jid.parse(domain), from, type, id }, payload), domain, whose.bareText);
      if (given instanceof Promise) given.catch(failed);
    } catch (error) {
      failed(error);
    }
    return promise;
  }

  #answered(asker: string): void {
    const rest = (this.#askers.get(asker) ?? 1) - 1;
    if (rest > 0) this.#askers.set(asker, rest);
    else this.#askers.delete(asker);
  }

  /** Whether what a component has sent answers a request of the server, on whatever node that was made. */
  take(stanza: Stanza, component: string): boolean {
    const { kind, type, to, id } = stanza;
    if (kind !== 'iq' || (type !== 'result' && type !== 'error') || to?.isDomain !== true) return false;
    const node = /^server-([0-9a-f]+)-/.exec(id ?? '')?.[1];
    if (node === undefined) return false;
    if (node === this.#host.self) this.#settle(stanza as Iq, component);
    else void this.#host.peers.ask(node, ANSWER, stanza.toString());
    return true;
  }

  #settle(answer: Iq, domain: string): void {
    const pending = this.#pending.get(answer.id ?? '');
    if (pending?.domain === domain) pending.settle(answer);
  }

  [Symbol.dispose](): void {
    for (const { settle } of [...this.#pending.values()]) settle(new StanzaError('service-unavailable'));
  }
}
