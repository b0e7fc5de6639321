import type { Jid } from '@parley/xmpp/jid';
import { type Presence, presence, type Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AccountRoster } from './account-roster.ts';
import type { RosterStore } from './roster-store.ts';
import { Waits } from './waits.ts';

export interface PresenceProbesOptions {
  readonly store: RosterStore;
  readonly router: Router;
  readonly sessions: Sessions;
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
    const { router, sessions, isLocal } = this.#options;
    const probe = presence({ from: session.jid, type: 'probe' });
    const sent = new Waits();
    for (const { jid } of roster.subscriptions) {
      // who is not there would only say so
      if (isLocal(jid) && !sessions.of(jid).some((other) => other.available)) continue;
      sent.add(router.route(probe.withTo(jid), session));
    }
    return sent.all;
  }

  /** §4.3.2 */
  answer(probe: Stanza, account: Jid): Awaitable<true> {
    const { from, to } = probe;
    if (from === undefined || to === undefined) return true;
    const roster = this.#options.store.get(account);
    if (roster instanceof Promise) return roster.then((read) => this.#answer(read, account, from, to));
    return this.#answer(roster, account, from, to);
  }

  #answer(roster: AccountRoster, account: Jid, from: Jid, to: Jid): Awaitable<true> {
    const sent = new Waits();
    for (const stanza of this.#answersTo(roster, account, from, to)) {
      sent.add(this.#options.router.route(stanza.withTo(stanza.type === 'unsubscribed' ? from.bare : from)));
    }
    return sent.taken;
  }

  #answersTo(roster: AccountRoster, account: Jid, from: Jid, to: Jid): Presence[] {
    if (!roster.isSubscriber(from) && from.bareText !== account.bareText) {
      return [presence({ from: account, type: 'unsubscribed' })]; // whether there is such an account or not
    }
    const answers: Presence[] = [];
    for (const session of this.#options.sessions.of(account)) {
      if (session.presence !== undefined && (to.isBare || session.jid.equals(to))) answers.push(session.presence);
    }
    return answers.length > 0 ? answers : [presence({ from: to, type: 'unavailable' })];
  }
}
