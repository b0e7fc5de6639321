import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  inbound,
  isFrom,
  isSubscriptionEvent,
  isTo,
  outbound,
  SUBSCRIPTION_EVENTS,
  type Subscription,
  type SubscriptionEvent,
  type SubscriptionState,
} from './subscription-state.ts';

// The names of RFC 6121 Appendix A.1; "+" is pre-approval.
const STATES = ['None', 'None/O', 'None/I', 'None/OI', 'To', 'To/I', 'From', 'From/O', 'Both'] as const;
type Name = (typeof STATES)[number];

function stateOf(name: Name, approved = false): SubscriptionState {
  const [subscription = '', pending = ''] = name.split('/');
  return {
    subscription: subscription.toLowerCase() as Subscription,
    ask: pending.includes('O'),
    pendingIn: pending.includes('I'),
    approved,
  };
}

type Row = readonly [before: Name, after: Name, effects: string];

// Appendix A.2: whether the stanza is routed, the state after it, and whether presence or pre-approval follows.
const OUTBOUND: Record<SubscriptionEvent, readonly Row[]> = {
  subscribe: [
    ['None', 'None/O', 'route'],
    ['None/O', 'None/O', 'route'],
    ['None/I', 'None/OI', 'route'],
    ['None/OI', 'None/OI', 'route'],
    ['To', 'To', 'route'],
    ['To/I', 'To/I', 'route'],
    ['From', 'From/O', 'route'],
    ['From/O', 'From/O', 'route'],
    ['Both', 'Both', 'route'],
  ],
  unsubscribe: [
    ['None', 'None', 'route'],
    ['None/O', 'None', 'route'],
    ['None/I', 'None/I', 'route'],
    ['None/OI', 'None/I', 'route'],
    ['To', 'None', 'route'],
    ['To/I', 'None/I', 'route'],
    ['From', 'From', 'route'],
    ['From/O', 'From', 'route'],
    ['Both', 'From', 'route'],
  ],
  subscribed: [
    ['None', 'None', 'approve'],
    ['None/O', 'None/O', 'approve'],
    ['None/I', 'From', 'route announce'],
    ['None/OI', 'From/O', 'route announce'],
    ['To', 'To', 'approve'],
    ['To/I', 'Both', 'route announce'],
    ['From', 'From', ''],
    ['From/O', 'From/O', ''],
    ['Both', 'Both', ''],
  ],
  unsubscribed: [
    ['None', 'None', 'disapprove'],
    ['None/O', 'None/O', 'disapprove'],
    ['None/I', 'None', 'disapprove route'],
    ['None/OI', 'None/O', 'disapprove route'],
    ['To', 'To', 'disapprove'],
    ['To/I', 'To', 'disapprove route'],
    ['From', 'None', 'disapprove route withdraw'],
    ['From/O', 'None/O', 'disapprove route withdraw'],
    ['Both', 'To', 'disapprove route withdraw'],
  ],
};

// Appendix A.3: whether the stanza is delivered, the state after it, and what is answered.
const INBOUND: Record<SubscriptionEvent, readonly Row[]> = {
  subscribe: [
    ['None', 'None/I', 'deliver'],
    ['None/O', 'None/OI', 'deliver'],
    ['None/I', 'None/I', ''],
    ['None/OI', 'None/OI', ''],
    ['To', 'To/I', 'deliver'],
    ['To/I', 'To/I', ''],
    ['From', 'From', 'subscribed announce'],
    ['From/O', 'From/O', 'subscribed announce'],
    ['Both', 'Both', 'subscribed announce'],
  ],
  unsubscribe: [
    ['None', 'None', ''],
    ['None/O', 'None/O', ''],
    ['None/I', 'None', 'deliver'],
    ['None/OI', 'None/O', 'deliver'],
    ['To', 'To', ''],
    ['To/I', 'To', 'deliver'],
    ['From', 'None', 'deliver withdraw'],
    ['From/O', 'None/O', 'deliver withdraw'],
    ['Both', 'To', 'deliver withdraw'],
  ],
  subscribed: [
    ['None', 'None', ''],
    ['None/O', 'To', 'deliver'],
    ['None/I', 'None/I', ''],
    ['None/OI', 'To/I', 'deliver'],
    ['To', 'To', ''],
    ['To/I', 'To/I', ''],
    ['From', 'From', ''],
    ['From/O', 'Both', 'deliver'],
    ['Both', 'Both', ''],
  ],
  unsubscribed: [
    ['None', 'None', ''],
    ['None/O', 'None', 'deliver'],
    ['None/I', 'None/I', ''],
    ['None/OI', 'None/I', 'deliver'],
    ['To', 'None', 'deliver'],
    ['To/I', 'None/I', 'deliver'],
    ['From', 'From', ''],
    ['From/O', 'From', 'deliver'],
    ['Both', 'From', 'deliver'],
  ],
};

// §3.1.3: who is approved beforehand gets in at once.
const INBOUND_SUBSCRIBE_APPROVED: readonly Row[] = [
  ['None', 'From', 'subscribed announce'],
  ['None/O', 'From/O', 'subscribed announce'],
  ['None/I', 'From', 'subscribed announce'],
  ['None/OI', 'From/O', 'subscribed announce'],
  ['To', 'Both', 'subscribed announce'],
  ['To/I', 'Both', 'subscribed announce'],
  ['From', 'From', 'subscribed announce'],
  ['From/O', 'From/O', 'subscribed announce'],
  ['Both', 'Both', 'subscribed announce'],
];

function effects(transition: ReturnType<typeof inbound>): string {
  const { route, deliver, reply, presence } = transition;
  return [route && 'route', deliver && 'deliver', reply, presence].filter(Boolean).join(' ');
}

function check(transition: ReturnType<typeof inbound>, [, after, wanted]: Row, approved: boolean): void {
  const words = wanted.split(' ');
  const approvedAfter = words.includes('approve') || (approved && !words.includes('disapprove'));
  expect(transition.state).toEqual(stateOf(after, approvedAfter));
  expect(effects(transition)).toBe(words.filter((word) => !word.endsWith('approve')).join(' '));
}

describe.each([false, true])('pre-approved: %s', (approved) => {
  describe.each(SUBSCRIPTION_EVENTS)('outbound %s', (event) => {
    it('covers all states', () => expect(OUTBOUND[event].map(([before]) => before)).toEqual(STATES));

    it.each(OUTBOUND[event])('%s → %s %s', (...row) => {
      check(outbound(stateOf(row[0], approved), event), row, approved);
    });
  });

  describe.each(SUBSCRIPTION_EVENTS)('inbound %s', (event) => {
    const rows = approved && event === 'subscribe' ? INBOUND_SUBSCRIBE_APPROVED : INBOUND[event];
    it('covers all states', () => expect(rows.map(([before]) => before)).toEqual(STATES));

    it.each(rows)('%s → %s %s', (...row) => {
      check(inbound(stateOf(row[0], approved), event), row, approved);
    });
  });
});

describe('any sequence of events', () => {
  const anyEvent = fc.record({ out: fc.boolean(), event: fc.constantFrom(...SUBSCRIPTION_EVENTS) });

  it('stays within the nine states, and nothing is granted that was not asked for or allowed', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
        let state = stateOf('None');
        for (const { out, event } of events) {
          const before = state;
          const transition = (out ? outbound : inbound)(state, event);
          state = transition.state;
          expect(STATES.map((name) => stateOf(name, state.approved))).toContainEqual(state);
          if (isTo(state.subscription) && !isTo(before.subscription))
            expect({ out, event }).toEqual({ out: false, event: 'subscribed' });
          if (isFrom(state.subscription) && !isFrom(before.subscription)) {
            expect(out ? before.pendingIn && event === 'subscribed' : before.approved && event === 'subscribe').toBe(
              true,
            );
          }
        }
      }),
    );
  });

  it('brings two accounts to matching states when nothing is lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ who: fc.boolean(), event: fc.constantFrom(...SUBSCRIPTION_EVENTS) })),
        (steps) => {
          const states = [stateOf('None'), stateOf('None')];
          const send = (from: number, event: SubscriptionEvent) => {
            const sent = outbound(states[from] as SubscriptionState, event);
            states[from] = sent.state;
            if (sent.route) receive(1 - from, event);
          };
          const receive = (at: number, event: SubscriptionEvent) => {
            const got = inbound(states[at] as SubscriptionState, event);
            states[at] = got.state;
            if (got.reply) receive(1 - at, got.reply);
          };
          for (const { who, event } of steps) {
            send(who ? 1 : 0, event);
            const [a, b] = states as [SubscriptionState, SubscriptionState];
            expect([isTo(a.subscription), isFrom(a.subscription)]).toEqual([
              isFrom(b.subscription),
              isTo(b.subscription),
            ]);
            expect([a.ask, a.pendingIn]).toEqual([b.pendingIn, b.ask]);
          }
        },
      ),
    );
  });
});

it('knows its events', () => {
  expect(SUBSCRIPTION_EVENTS.every(isSubscriptionEvent)).toBe(true);
  expect([undefined, 'unavailable', 'probe', 'error'].some(isSubscriptionEvent)).toBe(false);
});
