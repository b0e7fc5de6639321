/** Whose presence reaches whom, seen from the account that keeps the item (RFC 6121 §2.1.2.5). */
export type Subscription = 'none' | 'to' | 'from' | 'both';

export const SUBSCRIPTION_EVENTS = ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed'] as const;
export type SubscriptionEvent = (typeof SUBSCRIPTION_EVENTS)[number];

/**
 * One side of the relation between an account and a contact: the nine states of RFC 6121 Appendix A.1, and
 * pre-approval (§3.4) beside them.
 */
export interface SubscriptionState {
  readonly subscription: Subscription;
  /** Pending Out: the account has asked for the contact's presence. */
  readonly ask: boolean;
  /** Pending In: the contact has asked for the account's presence. */
  readonly pendingIn: boolean;
  /** The account lets the contact subscribe before being asked. */
  readonly approved: boolean;
}

/** What an event leads to; what is left out does not happen. */
export interface Transition {
  readonly state: SubscriptionState;
  /** Outbound: the stanza goes on to the contact. */
  readonly route?: boolean;
  /** Inbound: the account's clients get the stanza. */
  readonly deliver?: boolean;
  /** Inbound: what the contact is answered on behalf of the account. */
  readonly reply?: 'subscribed';
  /** The contact gets the presence of the account's resources, or "unavailable" from them. */
  readonly presence?: 'announce' | 'withdraw';
}

/** The contact gets the account's presence. */
export const isFrom = (subscription: Subscription): boolean => subscription === 'from' || subscription === 'both';

/** The account gets the contact's presence. */
export const isTo = (subscription: Subscription): boolean => subscription === 'to' || subscription === 'both';

export function isSubscriptionEvent(type: string | undefined): type is SubscriptionEvent {
  return type === 'subscribe' || type === 'subscribed' || type === 'unsubscribe' || type === 'unsubscribed';
}

export const subscriptionOf = (to: boolean, from: boolean): Subscription =>
  to ? (from ? 'both' : 'to') : from ? 'from' : 'none';

const withTo = (state: SubscriptionState, to: boolean): SubscriptionState => ({
  ...state,
  subscription: subscriptionOf(to, isFrom(state.subscription)),
  ask: false,
});

const withFrom = (state: SubscriptionState, from: boolean): SubscriptionState => ({
  ...state,
  subscription: subscriptionOf(isTo(state.subscription), from),
  pendingIn: false,
});

/** The account sends such a stanza to the contact (RFC 6121 Appendix A.2). */
export function outbound(state: SubscriptionState, event: SubscriptionEvent): Transition {
  const from = isFrom(state.subscription);
  switch (event) {
    case 'subscribe': // A.2.1: always sent on, so that the two sides can come to terms again
      return { state: isTo(state.subscription) ? state : { ...state, ask: true }, route: true };
    case 'unsubscribe': // A.2.2
      return { state: withTo(state, false), route: true };
    case 'subscribed': // A.2.3
      if (state.pendingIn) return { state: withFrom(state, true), route: true, presence: 'announce' };
      return { state: from ? state : { ...state, approved: true } }; // §3.4.2
    case 'unsubscribed': {
      // A.2.4; it takes back a pre-approval, too
      const after = { ...withFrom(state, false), approved: false };
      return { state: after, route: from || state.pendingIn, ...(from && { presence: 'withdraw' }) };
    }
  }
}

/** Such a stanza from the contact has come to the account (RFC 6121 Appendix A.3). */
export function inbound(state: SubscriptionState, event: SubscriptionEvent): Transition {
  const from = isFrom(state.subscription);
  switch (event) {
    case 'subscribe': // A.3.1 and §3.1.3
      if (from || state.approved) return { state: withFrom(state, true), reply: 'subscribed', presence: 'announce' };
      return state.pendingIn ? { state } : { state: { ...state, pendingIn: true }, deliver: true };
    case 'unsubscribe': // A.3.2
      if (!from && !state.pendingIn) return { state };
      return { state: withFrom(state, false), deliver: true, ...(from && { presence: 'withdraw' }) };
    case 'subscribed': // A.3.3
      return state.ask ? { state: withTo(state, true), deliver: true } : { state };
    case 'unsubscribed': // A.3.4
      if (!state.ask && !isTo(state.subscription)) return { state };
      return { state: withTo(state, false), deliver: true };
  }
}
