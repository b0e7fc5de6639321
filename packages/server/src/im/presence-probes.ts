import type { Jid } from '@parley/xmpp/jid';
import { type Presence, presence, type Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AccountRoster } from './account-roster.ts';
import type { Paced } from './paced.ts';
import type { RosterStore } from './roster-store.ts';
import { Waits } from './waits.ts';

/** Contacts that are asked before others get their turn. */
const MOST_AT_ONCE = 250;

export interface PresenceProbesOptions {
  readonly store: RosterStore;
  readonly router: Router;
  readonly sessions: Sessions;
  readonly paced: Paced;
  isLocal(jid: Jid): boolean;
}

/** Asks for presence on behalf of sessions, and answers those who ask (RFC 6121 §4.3). */
export class PresenceProbes {
  readonly #options: PresenceProbesOptions;

  constructor(options: PresenceProbesOptions) {
    this.#options = options;
  }

  /** §4.3.1: asks all whose presence the account gets. They answer the resource that has become available. */
  send(session: Session, roster: AccountRoster): Awaitable<void> {
    const later: Jid[] = [];
    const sent = new Waits();
    let count = 0;
    for (const jid of roster.subscriptions) {
      if (!this.#mayAnswer(jid)) continue;
      if (++count > MOST_AT_ONCE || later.length > 0 || session.management?.full) later.push(jid);
      else sent.add(this.ask(session, jid));
    }
    if (later.length > 0) this.#options.paced.start(session, this.#askEach(session, later));
    return sent.all;
  }

  *#askEach(session: Session, contacts: readonly Jid[]): Generator<Awaitable<void>, void> {
    for (const jid of contacts) {
      if (!session.available) return;
      yield this.ask(session, jid);
    }
  }

  /** Asks one contact. */
  ask(session: Session, contact: Jid): Awaitable<void> {
    if (!this.#mayAnswer(contact)) return;
    return this.#options.router.route(presence({ from: session.jid, to: contact, type: 'probe' }), session);
  }

  /** Who is not there would only say so. */
  #mayAnswer(contact: Jid): boolean {
    const { sessions, isLocal } = this.#options;
    return !isLocal(contact) || sessions.of(contact).some((other) => other.available);
  }

  /** §4.3.2 */
  answer(probe: Stanza, account: Jid): Awaitable<true> {
    const { from, to } = probe;
    if (from === undefined || to === undefined) return true;
    const may = from.bareText === account.bareText || this.#options.store.isSubscriber(account, from);
    if (may instanceof Promise) return may.then((allowed) => this.#answer(allowed, account, from, to));
    return this.#answer(may, account, from, to);
  }

  #answer(may: boolean, account: Jid, from: Jid, to: Jid): Awaitable<true> {
    const sent = new Waits();
    for (const stanza of this.#answersTo(may, account, to)) {
      sent.add(this.#options.router.route(stanza.withTo(stanza.type === 'unsubscribed' ? from.bare : from)));
    }
    return sent.taken;
  }

  #answersTo(may: boolean, account: Jid, to: Jid): Presence[] {
    if (!may) return [presence({ from: account, type: 'unsubscribed' })]; // whether there is such an account or not
    const answers: Presence[] = [];
    for (const session of this.#options.sessions.of(account)) {
      if (session.presence !== undefined && (to.isBare || session.jid.equals(to))) answers.push(session.presence);
    }
    return answers.length > 0 ? answers : [presence({ from: to, type: 'unavailable' })];
  }
}
