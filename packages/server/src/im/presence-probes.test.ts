import { Jid } from '@parley/xmpp/jid';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import { Hooks } from '../hooks.ts';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { AccountRoster } from './account-roster.ts';
import { Paced } from './paced.ts';
import { PresenceProbes } from './presence-probes.ts';
import type { RosterStore } from './roster-store.ts';
import type { Subscription } from './subscription-state.ts';
import { Turns } from './turns.ts';

const juliet = Jid.parse('juliet@capulet.example');
const balcony = juliet.withResource('balcony');
const chamber = juliet.withResource('chamber');

const available = (jid: Jid) =>
  ({ jid, available: true, presence: presence({ from: jid, id: jid.resource }) }) as Session;

let routed: string[];
let sessions: Session[];
let later: boolean;
let probes: PresenceProbes;

const roster = new AccountRoster(new Map(), new Set(), 0, 0);
const contacts: [string, Subscription][] = [
  ['none@m.example', 'none'],
  ['to@m.example', 'to'],
  ['from@m.example', 'from'],
  ['both@m.example', 'both'],
  ['here@capulet.example', 'to'],
  ['away@capulet.example', 'to'],
  ['connected@capulet.example', 'both'],
];
for (const [contact, subscription] of contacts) {
  const jid = Jid.parse(contact);
  roster.put({ jid, subscription, ask: false, approved: true, name: undefined, groups: [], version: 1 });
}

beforeEach(() => {
  routed = [];
  sessions = [available(balcony), available(chamber), { jid: juliet.withResource('connected') } as Session];
  later = false;
  const byAccount = (account: Jid): Session[] => {
    switch (account.local) {
      case 'juliet':
        return sessions;
      case 'here':
        return [available(account.withResource('x'))];
      case 'connected':
        return [{ jid: account.withResource('x'), available: false } as Session];
      default:
        return [];
    }
  };
  probes = new PresenceProbes({
    store: {
      isSubscriber(_: Jid, contact: Jid) {
        const is = roster.isSubscriber(contact);
        return later ? Promise.resolve(is) : is;
      },
    } as unknown as RosterStore,
    router: {
      route(stanza: Stanza) {
        routed.push([stanza.from, stanza.type ?? stanza.id, stanza.to].join(' '));
      },
    } as unknown as Router,
    sessions: { of: byAccount } as unknown as Sessions,
    paced: new Paced(new Hooks(() => {}), new Turns()),
    isLocal: ({ domain }) => domain === 'capulet.example',
  });
});

it('asks those whose presence the account gets, and of those here only who is available', () => {
  expect(probes.send(available(balcony), roster)).toBeUndefined();
  expect(routed).toEqual([
    `${balcony} probe to@m.example`,
    `${balcony} probe both@m.example`,
    `${balcony} probe here@capulet.example`,
  ]);
});

describe('a probe', () => {
  const ask = (from: string, to: Jid = juliet) => probes.answer(presence({ from: Jid.parse(from), to }), juliet);

  it.each([
    ['from@m.example/x', 'from@m.example/x'],
    ['both@m.example', 'both@m.example'],
    ['juliet@capulet.example/chamber', 'juliet@capulet.example/chamber'],
  ])('from %s is answered with all presence', (from, to) => {
    expect(ask(from)).toBe(true);
    expect(routed).toEqual([`${balcony} balcony ${to}`, `${chamber} chamber ${to}`]);
  });

  it.each(['none@m.example/x', 'to@m.example/x', 'stranger@m.example/x'])(
    'from %s is answered "unsubscribed"',
    (from) => {
      ask(from);
      expect(routed).toEqual([`${juliet} unsubscribed ${Jid.parse(from).bare}`]);
    },
  );

  it('for one resource is answered for that alone', () => {
    ask('both@m.example', chamber);
    ask('both@m.example', juliet.withResource('connected'));
    expect(routed).toEqual([`${chamber} chamber both@m.example`, `${juliet}/connected unavailable both@m.example`]);
  });

  it('where nobody is available is answered so', () => {
    sessions = [];
    ask('both@m.example');
    expect(routed).toEqual([`${juliet} unavailable both@m.example`]);
  });

  it('is answered when the roster is known', async () => {
    later = true;
    const answer = ask('both@m.example', balcony);
    expect(routed).toEqual([]);
    expect(await answer).toBe(true);
    expect(routed).toEqual([`${balcony} balcony both@m.example`]);
  });
});
