import { randomBytes } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { forwarded } from '@parley/xmpp/forwarded';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, type Stanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import type { Peers } from '../../peers.ts';
import type { Awaitable } from '../../pipeline.ts';
import type { Privileges } from './privileges.ts';

export interface PrivilegedRequestsHost {
  /** The id of this node. */
  readonly self: string;
  readonly peers: Peers;
  route(stanza: Stanza): Awaitable<void>;
  timeoutMs(): number;
}

interface Pending {
  /** What the component has asked. */
  readonly asked: Iq;
  /** What was asked in the user's name, with the identifier that the component gave it. */
  readonly inner: Iq;
  readonly timer: NodeJS.Timeout;
}

const ANSWER = 'privilege.answer';

/** Requests in users' names that wait for their answers at the same time. */
const MOST_PENDING = 10_000;

/** What components ask in the names of users (XEP-0356 §6), until it is answered. */
export class PrivilegedRequests {
  readonly #host: PrivilegedRequestsHost;
  readonly #prefix: string;
  readonly #pending = new Map<string, Pending>();

  constructor(host: PrivilegedRequestsHost) {
    this.#host = host;
    this.#prefix = `privileged-${host.self}-`;
    host.peers.on(ANSWER, (text) => {
      this.#settle(stanzaFromText(Buffer.from(text)) as Iq);
    });
  }

  /** Throws a StanzaError where the component may not. */
  send(asked: Iq, privileges: Privileges): Awaitable<true> {
    const inner = innerRequest(asked, privileges);
    if (this.#pending.size >= MOST_PENDING) throw new StanzaError('resource-constraint');
    const id = this.#prefix + randomBytes(9).toString('base64url');
    const timer = setTimeout(() => {
      this.#settle(inner.with({ id }).error(new StanzaError('remote-server-timeout')));
    }, this.#host.timeoutMs());
    this.#pending.set(id, { asked, inner, timer: timer.unref() });
    const routed = this.#host.route(inner.with({ id }));
    return routed instanceof Promise ? routed.then(() => true) : true;
  }

  /** Whether what comes for an account answers what was asked in its name; then it is taken, on whatever node that was. */
  take(answer: Stanza): boolean {
    const { kind, type, to, id } = answer;
    if (kind !== 'iq' || (type !== 'result' && type !== 'error') || to?.isBare !== true) return false;
    const node = /^privileged-([0-9a-f]+)-/.exec(id ?? '')?.[1];
    if (node === undefined) return false;
    if (node === this.#host.self) return this.#settle(answer as Iq);
    void this.#host.peers.ask(node, ANSWER, answer.toString());
    return true;
  }

  #settle(answer: Iq): boolean {
    const pending = this.#pending.get(answer.id ?? '');
    // whoever was not asked cannot answer
    if (pending === undefined || answer.from?.bareText !== pending.inner.to?.bareText) return false;
    if (!pending.inner.from?.equals(answer.to)) return false;
    this.#pending.delete(answer.id as string);
    clearTimeout(pending.timer);
    const inside = forwarded(answer.with({ id: pending.inner.id }));
    void this.#host.route(pending.asked.result(Element.of('privilege', NS.privilege, {}, inside)));
    return true;
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
  }
}

/** §6.3: everything that makes the server refuse it. */
function innerRequest(asked: Iq, privileges: Privileges): Iq {
  const { to, type, payload } = asked;
  const inside = payload?.firstChild;
  if (to === undefined || !to.isBare || to.isDomain || !privileges.covers(to)) throw forbidden('It is for no user.');
  if (inside === undefined || !inside.is('iq', NS.client)) throw forbidden('There is no request of a client in it.');
  const inner = stanzaOf(inside) as Iq;
  checkStanza(inner);
  if (inner.type !== type) throw forbidden('The two are of different types.');
  if (inner.from !== undefined && !inner.from.equals(to)) throw forbidden('It is in the name of somebody else.');
  if (!privileges.iq(inner.payload?.ns ?? '', type)) throw forbidden('The component may not ask for this.');
  return inner.with({ from: to, to: inner.to ?? (to as Jid) });
}

const forbidden = (text: string) => new StanzaError('forbidden', { text });
