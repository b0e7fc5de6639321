import { randomBytes } from 'node:crypto';
import type { LimitName } from '@parley/metrics/catalogue';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { type Iq, iq } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Session } from './session.ts';

interface Pending {
  readonly id: string;
  settle(answer: Iq | StanzaError): void;
}

export interface RequestLimits {
  readonly pendingPerSession: number;
  readonly timeoutMs: number;
}

/** Requests that the server sends to its clients, and their answers. */
export class Requests {
  readonly #pending = new Map<Session, Pending[]>();
  readonly #limits: () => RequestLimits;
  readonly #onLimit: (session: Session, limit: LimitName) => void;

  constructor(limits: () => RequestLimits, onLimit: (session: Session, limit: LimitName) => void) {
    this.#limits = limits;
    this.#onLimit = onLimit;
  }

  /** With the limits of the configuration; whoever exceeds them is counted as all others are. */
  static within(limits: () => { readonly pendingPerSession: number; readonly timeoutSeconds: number }): Requests {
    const ofSession = () => {
      const { pendingPerSession, timeoutSeconds } = limits();
      return { pendingPerSession, timeoutMs: timeoutSeconds * 1000 };
    };
    return new Requests(ofSession, ({ stream }, limit) => stream.host.onLimit(stream, limit));
  }

  /**
   * Resolves with the answer, be it a result or an error. Rejects with a StanzaError where there will be none:
   * `resource-constraint` for too many at once, `remote-server-timeout` in time, `recipient-unavailable` where the
   * session ended.
   */
  send(session: Session, type: 'get' | 'set', payload: Element): Promise<Iq> {
    const { pendingPerSession, timeoutMs } = this.#limits();
    const list = this.#pending.get(session) ?? [];
    if (list.length >= pendingPerSession) {
      this.#onLimit(session, 'pending-iq');
      return Promise.reject(new StanzaError('resource-constraint'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Iq>();
    const id = randomBytes(9).toString('base64url');
    const timer = setTimeout(() => {
      this.#onLimit(session, 'iq-time');
      pending.settle(new StanzaError('remote-server-timeout'));
    }, timeoutMs);
    const pending: Pending = {
      id,
      settle: (answer) => {
        clearTimeout(timer);
        this.#remove(session, pending);
        if (answer instanceof StanzaError) reject(answer);
        else resolve(answer);
      },
    };
    list.push(pending);
    this.#pending.set(session, list);
    session.send(iq({ to: session.jid, from: Jid.of(undefined, session.jid.domain), type, id }, payload));
    return promise;
  }

  #remove(session: Session, pending: Pending): void {
    const rest = (this.#pending.get(session) ?? []).filter((other) => other !== pending);
    if (rest.length === 0) this.#pending.delete(session);
    else this.#pending.set(session, rest);
  }

  /** Takes what a session sent as an answer; true where it was awaited. */
  answer(session: Session, answer: Iq): boolean {
    const pending = this.#pending.get(session)?.find(({ id }) => id === answer.id);
    pending?.settle(answer);
    return pending !== undefined;
  }

  /** The session is over: nothing will answer any more. */
  end(session: Session): void {
    for (const pending of this.#pending.get(session) ?? []) pending.settle(new StanzaError('recipient-unavailable'));
  }
}
