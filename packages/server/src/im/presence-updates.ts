import type { Jid } from '@parley/xmpp/jid';
import { type Presence, presence, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { ModuleContext } from '../module.ts';
import type { Awaitable } from '../pipeline.ts';
import { deliver } from '../routing/deliver.ts';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import { priorityOf } from '../session/presence-priority.ts';
import type { Session } from '../session/session.ts';
import type { AccountRoster } from './account-roster.ts';
import type { PresenceBroadcast } from './presence-broadcast.ts';
import type { PresenceProbes } from './presence-probes.ts';
import type { PresenceState, PresenceStates } from './presence-states.ts';
import { retain } from './retained-presence.ts';
import type { RosterStore } from './roster-store.ts';
import type { Turns } from './turns.ts';
import { Waits } from './waits.ts';

/** Contacts that get a presence without the event loop going round. */
const MOST_AT_ONCE = 250;

export interface PresenceUpdatesOptions {
  readonly context: ModuleContext;
  readonly store: RosterStore;
  readonly broadcast: PresenceBroadcast;
  readonly probes: PresenceProbes;
  readonly states: PresenceStates;
  readonly turns: Turns;
}

/** What follows when a session changes its presence (RFC 6121 §4.2, §4.4, §4.5 and §4.6). */
export class PresenceUpdates {
  readonly #context: ModuleContext;
  readonly #store: RosterStore;
  readonly #broadcast: PresenceBroadcast;
  readonly #probes: PresenceProbes;
  readonly #states: PresenceStates;
  readonly #turns: Turns;

  constructor({ context, store, broadcast, probes, states, turns }: PresenceUpdatesOptions) {
    this.#context = context;
    this.#store = store;
    this.#broadcast = broadcast;
    this.#probes = probes;
    this.#states = states;
    this.#turns = turns;
  }

  /** Available presence for all contacts. */
  available(stanza: Stanza, session: Session): Awaitable<true> {
    const priority = priorityOf(stanza);
    const retained = retain(stanza);
    if (this.#isTooLarge(retained, session)) {
      throw new StanzaError('policy-violation', { text: 'This presence is too large to be sent to all contacts.' });
    }
    session.presence = retained;
    session.priority = priority;
    const roster = this.#store.get(session.account);
    if (!(roster instanceof Promise)) return this.#announce(session, retained, roster);
    return roster.then((read) => this.#announce(session, retained, read));
  }

  #announce(session: Session, stanza: Presence, roster: AccountRoster): Awaitable<true> {
    if (session.ended || session.presence !== stanza) return true; // it changed while the roster was read
    const { account } = session;
    const state = this.#states.of(session);
    const first = !state.announced;
    state.announced = true;
    const sent = new Waits();
    // §4.2.2 and §4.4.2: the account's own resources, this one among them, and the contacts that may know
    sent.add(this.#broadcast.send(account, stanza, account, session));
    const isCurrent = () => session.presence === stanza && !session.ended;
    sent.add(this.#toSubscribers(stanza, session, roster, state, isCurrent));
    if (first) {
      for (const other of this.#context.sessions.of(account)) {
        if (other !== session && other.presence !== undefined) this.#to(session, other.presence, sent);
      }
      sent.add(this.#probes.send(session, roster));
    }
    this.#context.hooks.events.emit('presence.available', session, first);
    return sent.taken;
  }

  /** Unavailable presence for all contacts, from the client. */
  unavailable(stanza: Stanza, session: Session): Awaitable<true> {
    const retained = retain(stanza);
    const large = this.#isTooLarge(retained, session);
    return this.#end(large ? presence({ from: session.jid, type: 'unavailable' }) : retained, session);
  }

  /** The session has ended, in whatever way (§4.5.2). */
  end(session: Session): Awaitable<true> {
    return this.#end(presence({ from: session.jid, type: 'unavailable' }), session);
  }

  #end(stanza: Presence, session: Session): Awaitable<true> {
    const state = this.#states.take(session);
    const wasAvailable = session.available; // be it that its contacts were never told
    session.presence = undefined;
    session.priority = 0;
    if (wasAvailable) this.#context.hooks.events.emit('presence.unavailable', session);
    if (state === undefined) return true;
    if (!state.announced) return this.#withdraw(stanza, session, undefined, state);
    const roster = this.#store.get(session.account);
    if (!(roster instanceof Promise)) return this.#withdraw(stanza, session, roster, state);
    // nobody could be told that it failed, and contacts must not see for ever who is not there
    let reading: Promise<AccountRoster> | undefined = roster;
    const read = async () => {
      const begun = reading ?? this.#store.get(session.account);
      reading = undefined;
      return begun;
    };
    const again = () => nextAttempt(this.#context.keyspace);
    return untilDone(read, again).then((known) => this.#withdraw(stanza, session, known, state));
  }

  #withdraw(
    stanza: Presence,
    session: Session,
    roster: AccountRoster | undefined,
    state: PresenceState,
  ): Awaitable<true> {
    const { account } = session;
    const sent = new Waits();
    if (roster !== undefined) {
      sent.add(this.#broadcast.send(account, stanza, account, session));
      if (!session.ended) this.#to(session, stanza, sent);
      sent.add(this.#toSubscribers(stanza, session, roster, state, () => true));
    }
    // §4.6.3: those who got presence of their own, unless they have just got this with all others
    for (const to of state.directed ?? []) {
      const covered = roster !== undefined && (to.bareText === account.bareText || roster.isSubscriber(to));
      if (!covered) sent.add(this.#broadcast.send(account, stanza, to, session));
    }
    return sent.taken;
  }

  /** Another node died, and a session with it, whose contacts nobody else tells. */
  async lost(jid: Jid, directed: readonly Jid[]): Promise<void> {
    const account = jid.bare;
    const stanza = presence({ from: jid, type: 'unavailable' });
    const roster = await this.#store.get(account);
    const sent = new Waits();
    sent.add(this.#broadcast.send(account, stanza, account));
    sent.add(this.#toEach(roster.subscribers, (contact) => this.#broadcast.send(account, stanza, contact)));
    for (const to of directed) if (!roster.isSubscriber(to)) sent.add(this.#broadcast.send(account, stanza, to));
    await sent.all;
  }

  /** Presence for one address: it goes on by itself, only remembered here (§4.6.3). */
  direct(stanza: Stanza, session: Session): false {
    const { to } = stanza;
    if (to === undefined) return false;
    const { directed } = this.#states.of(session);
    const before = directed?.size ?? 0;
    if (stanza.type === 'unavailable') {
      directed?.delete(to);
    } else if (!this.#states.direct(session, to, this.#context.config().limits.presence.directedTargets)) {
      session.stream.host.onLimit(session.stream, 'directed-presence');
      throw new StanzaError('policy-violation', { text: 'This session has sent presence to too many addresses.' });
    }
    // where this node dies, another one tells them that it is over
    if ((this.#states.of(session).directed?.size ?? 0) !== before) session.changed();
    return false;
  }

  /** Presence has come for a session: who answers with an error gets no more until other presence comes (§4.4.2). */
  received({ from, to, type }: Stanza, session: Session): void {
    if (from === undefined || to === undefined) return;
    if (type !== 'error') {
      if (this.#states.anyFailed) this.#states.recover(session, from);
    } else if (session.jid.equals(to)) {
      this.#fail(session, from);
    }
  }

  #fail(session: Session, from: NonNullable<Stanza['from']>): void {
    if (!session.available) return;
    this.#states.of(session).directed?.delete(from);
    const roster = this.#store.get(session.account);
    // only contacts count, so that strangers fill no memory; without the roster at hand it is not worth the while
    if (!(roster instanceof Promise) && roster.isSubscriber(from)) this.#states.fail(session, from);
  }

  #toSubscribers(
    stanza: Presence,
    session: Session,
    roster: AccountRoster,
    { failed }: PresenceState,
    isCurrent: () => boolean,
  ): Awaitable<void> {
    return this.#toEach(roster.subscribers, (jid) => {
      if (!isCurrent() || failed?.has(jid.bareText)) return;
      return this.#broadcast.send(session.account, stanza, jid, session);
    });
  }

  /** Of very many contacts each turn some, so that others get theirs; at least one turn goes round then. */
  #toEach(contacts: Iterable<Jid>, send: (contact: Jid) => Awaitable<void>): Awaitable<void> {
    const later: Jid[] = [];
    const sent = new Waits();
    let count = 0;
    for (const jid of contacts) {
      if (++count > MOST_AT_ONCE) later.push(jid);
      else sent.add(send(jid));
    }
    if (later.length > 0) sent.add(this.#later(later, send));
    return sent.all;
  }

  async #later(contacts: Jid[], send: (contact: Jid) => Awaitable<void>): Promise<void> {
    while (contacts.length > 0) {
      await this.#turns.next();
      const sent = new Waits();
      for (const jid of contacts.splice(0, MOST_AT_ONCE)) sent.add(send(jid));
      await sent.all;
    }
  }

  #to(session: Session, stanza: Presence, sent: Waits): void {
    const taken = deliver(this.#context.journal, [session], stanza.withTo(session.jid));
    if (taken instanceof Promise) sent.add(taken.then(() => undefined));
  }

  #isTooLarge(stanza: Presence, session: Session): boolean {
    if (Buffer.byteLength(stanza.toString()) <= this.#context.config().limits.presence.maxBytes) return false;
    session.stream.host.onLimit(session.stream, 'presence-bytes');
    return true;
  }
}
