import type { Jid } from '@parley/xmpp/jid';
import { type Presence, presence } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { BoundSession, Sessions } from '../session/sessions.ts';
import type { SharedContacts } from './shared-contacts.ts';
import { Waits } from './waits.ts';

/** Whether the account's presence may go to this address, a contact's bare JID mostly, at all. */
export type PresenceRule = (account: Jid, to: Jid) => boolean;

/** The same of an account whose sessions are elsewhere, which may have to be looked up. */
export type PresenceLookup = (account: Jid, to: Jid) => Awaitable<boolean>;

export interface PresenceBroadcastOptions {
  readonly router: Router;
  readonly sessions: Sessions;
  isLocal(jid: Jid): boolean;
  /** What groups add to rosters. */
  readonly shared?: SharedContacts;
}

/** Sends the presence of accounts to their contacts. */
export class PresenceBroadcast {
  readonly #options: PresenceBroadcastOptions;
  readonly #rules: PresenceRule[] = [];
  readonly #lookups: PresenceLookup[] = [];

  constructor(options: PresenceBroadcastOptions) {
    this.#options = options;
  }

  /** From now on presence goes only where this rule allows it, too. */
  addRule(rule: PresenceRule): void {
    this.#rules.push(rule);
  }

  addLookup(lookup: PresenceLookup): void {
    this.#lookups.push(lookup);
  }

  /** Whether presence of the account may go there, wherever its sessions are. */
  async mayReach(account: Jid, to: Jid): Promise<boolean> {
    for (const lookup of this.#lookups) if (!(await lookup(account, to))) return false;
    return true;
  }

  /** Sends a presence from a resource of `account` to an address. */
  send(account: Jid, stanza: Presence, to: Jid, sender?: Session): Awaitable<void> {
    for (const rule of this.#rules) if (!rule(account, to)) return;
    // nobody there takes it, and presence is kept for nobody
    if (this.#options.isLocal(to) && this.#options.sessions.of(to).length === 0) return;
    return this.#options.router.route(stanza.withTo(to), sender);
  }

  /** Has a contact get the presence of all available resources (RFC 6121 §3.1.5). */
  announce(account: Jid, contact: Jid): Awaitable<void> {
    return this.#each(account, contact, (session) => session.presence as Presence);
  }

  /** Has a contact believe that the account is gone: "unavailable" from all available resources (RFC 6121 §3.2.2). */
  withdraw(account: Jid, contact: Jid): Awaitable<void> {
    if (this.#options.shared?.sees(contact, account)) return; // it goes on to see it because of a group
    return this.#each(account, contact, (session) => presence({ from: session.jid, type: 'unavailable' }));
  }

  #each(account: Jid, contact: Jid, presenceOf: (session: BoundSession) => Presence): Awaitable<void> {
    const sent = new Waits();
    for (const session of this.#options.sessions.of(account)) {
      if (session.available) sent.add(this.send(account, presenceOf(session), contact));
    }
    return sent.all;
  }
}
