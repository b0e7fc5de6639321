import type { Jid } from '@parley/xmpp/jid';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountContext } from '../hooks.ts';
import type { ModuleContext } from '../module.ts';
import { deliver } from '../routing/deliver.ts';
import type { Session } from '../session/session.ts';
import type { PresenceBroadcast } from './presence-broadcast.ts';
import { itemElement, type RosterItem } from './roster-item.ts';
import type { RosterPushes } from './roster-pushes.ts';
import type { RosterChange, RosterStore, RosterWish } from './roster-store.ts';
import {
  inbound,
  outbound,
  type SubscriptionEvent,
  type SubscriptionState,
  type Transition,
} from './subscription-state.ts';

/** Carries out what the state machine of RFC 6121 Appendix A says, on both sides of a subscription. */
export class Subscriptions {
  readonly #context: ModuleContext;
  readonly #store: RosterStore;
  readonly #pushes: RosterPushes;
  readonly #broadcast: PresenceBroadcast;

  constructor(context: ModuleContext, store: RosterStore, pushes: RosterPushes, broadcast: PresenceBroadcast) {
    this.#context = context;
    this.#store = store;
    this.#pushes = pushes;
    this.#broadcast = broadcast;
  }

  /** A client sends such a stanza. */
  async send(stanza: Stanza, event: SubscriptionEvent, session: Session): Promise<true> {
    const { account } = session;
    const contact = stanza.to?.bare;
    if (contact === undefined) throw new StanzaError('bad-request', { text: 'Say to whom this is.' });
    if (contact.equals(account)) throw new StanzaError('not-allowed', { text: 'You see yourself anyway.' });
    if (await this.#isGiven(event, contact, session)) return true;
    const { transition, change } = await this.#change(account, contact, (state) => outbound(state, event));
    if (change.outcome === 'items') {
      session.stream.host.onLimit(session.stream, 'roster-items');
      throw new StanzaError('resource-constraint', { type: 'cancel', text: 'The roster is full.' });
    }
    await this.#push(account, contact, change);
    const { route, presence: effect } = transition;
    // while the contact's server still takes presence from here
    if (effect === 'withdraw') await this.#broadcast.withdraw(account, contact);
    // §3.1.2: subscriptions are between accounts, whatever resources are named
    if (route) await this.#context.router.route(stanza.with({ from: account, to: contact }), session);
    if (effect === 'announce') await this.#broadcast.announce(account, contact); // §3.1.5
    return true;
  }

  /**
   * What a group gives needs no subscription, and none can take it away: whoever asks for it has it, and whoever ends it
   * is refused.
   */
  async #isGiven(event: SubscriptionEvent, contact: Jid, session: Session): Promise<boolean> {
    const { account } = session;
    const roster = await this.#store.get(account);
    const ends =
      event === 'unsubscribe'
        ? roster.isShared(contact)
        : event === 'unsubscribed' && roster.isSharedWith(contact) && !roster.requests.has(contact.bareText);
    if (ends) throw new StanzaError('not-allowed', { text: 'A group of the directory has you see each other.' });
    if (event !== 'subscribe' || !roster.isShared(contact)) return false;
    await deliver(this.#context.journal, [session], presence({ from: contact, to: account, type: 'subscribed' }));
    return true;
  }

  /** Such a stanza has come for an account. */
  async receive(stanza: Stanza, event: SubscriptionEvent, { account, sender }: AccountContext): Promise<true> {
    const contact = stanza.from?.bare;
    if (contact === undefined || contact.equals(account)) return true;
    const received = stanza.with({ from: contact, to: account });
    const request = event === 'subscribe' ? () => this.#kept(received) : undefined;
    const { transition, change } = await this.#change(account, contact, (state) => inbound(state, event), request);
    if (change.outcome === 'items' || change.outcome === 'requests') {
      this.#onLimit(`roster-${change.outcome}`, account, contact, sender);
      return true; // as if the account had not answered yet
    }
    const { router } = this.#context;
    if (transition.deliver) await this.#deliver(received, event, account); // before the push: §3.1.6, §3.2.3, §3.3.3
    await this.#push(account, contact, change);
    if (transition.reply) await router.route(presence({ from: account, to: contact, type: transition.reply }));
    if (transition.presence === 'announce') await this.#broadcast.announce(account, contact);
    if (transition.presence === 'withdraw') await this.#broadcast.withdraw(account, contact);
    return true;
  }

  /** Takes a contact from one state to the next. `request`: the text to keep where a request has begun to wait. */
  async #change(
    account: Jid,
    contact: Jid,
    step: (state: SubscriptionState) => Transition,
    request: () => string = () => '',
  ): Promise<{ transition: Transition; change: RosterChange }> {
    let transition: Transition | undefined;
    const change = await this.#store.change(account, contact, (item, pendingIn) => {
      const before: SubscriptionState = { ...NONE, ...item, pendingIn };
      transition = step(before);
      return wish(item, before, transition.state, request);
    });
    return { transition: transition as Transition, change };
  }

  async #push(account: Jid, contact: Jid, { before, after, shown, version }: RosterChange): Promise<void> {
    if (after === before || shown === undefined) return;
    this.#context.metrics.rosterChanges.with({ action: 'subscription' }).increment();
    this.#context.hooks.events.emit('roster.changed', account, contact);
    await this.#pushes.push(account, itemElement(shown), version);
  }

  /** Requests are for whoever is there to answer (§3.1.3), all else for those who know the roster. */
  async #deliver(stanza: Stanza, event: SubscriptionEvent, account: Jid): Promise<void> {
    const { sessions, journal } = this.#context;
    const targets = sessions
      .of(account)
      .filter((session) => (event === 'subscribe' ? session.available : session.interested));
    if (targets.length > 0) await deliver(journal, targets, stanza);
  }

  /** §3.1.3: the request as it is delivered until it is answered, whole unless it is too large for that. */
  #kept(request: Stanza): string {
    const text = request.toString();
    if (Buffer.byteLength(text) <= this.#context.config().roster.maxRequestBytes) return text;
    return presence({ from: request.from, to: request.to, type: request.type }).toString();
  }

  #onLimit(limit: 'roster-items' | 'roster-requests', account: Jid, from: Jid, sender: Session | undefined): void {
    const { metrics, log } = this.#context;
    metrics.limitsExceeded.with({ limit }).increment();
    const address = sender?.stream.transport.remoteAddress;
    log.flood('limit.exceeded', { limit, address, from: from.toString(), account: account.toString() });
  }
}

const NONE: SubscriptionState = { subscription: 'none', ask: false, pendingIn: false, approved: false };

function wish(
  item: RosterItem | undefined,
  before: SubscriptionState,
  after: SubscriptionState,
  request: () => string,
): RosterWish {
  const { subscription, ask, approved, pendingIn } = after;
  const same = subscription === before.subscription && ask === before.ask && approved === before.approved;
  return {
    ...(!same && { item: { subscription, ask, approved, name: item?.name, groups: item?.groups ?? [] } }),
    ...(pendingIn !== before.pendingIn && { request: pendingIn ? request() : 'remove' }),
  };
}
