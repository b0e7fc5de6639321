import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it } from 'vitest';
import { AccountRoster, UNCHANGED } from './account-roster.ts';
import type { RosterItem } from './roster-item.ts';

const item = (contact: string, subscription: RosterItem['subscription'], version: number): RosterItem => ({
  jid: Jid.parse(contact),
  subscription,
  ask: false,
  approved: false,
  name: undefined,
  groups: [],
  version,
});

function roster(...items: RosterItem[]): AccountRoster {
  const made = new AccountRoster(new Map(), new Set(), UNCHANGED, UNCHANGED);
  for (const one of items) made.put(one);
  return made;
}

const names = (items: Iterable<RosterItem> | undefined) => items && [...items].map(({ jid }) => jid.toString());

describe('who gets whose presence', () => {
  it('follows the subscriptions, and their changes', () => {
    const made = roster(item('a@x', 'none', 1), item('b@x', 'to', 2), item('c@x', 'from', 3), item('d@x', 'both', 4));
    expect([...made.subscribers].map(String)).toEqual(['c@x', 'd@x']);
    expect([...made.subscriptions].map(String)).toEqual(['b@x', 'd@x']);
    expect(made.isSubscriber(Jid.parse('c@x/res'))).toBe(true);
    expect(made.isSubscriber(Jid.parse('b@x'))).toBe(false);
    expect(made.isSubscriber(Jid.parse('e@x'))).toBe(false);

    made.put(item('b@x', 'both', 5));
    made.remove(Jid.parse('d@x'), 6);
    expect([...made.subscribers].map(String)).toEqual(['b@x', 'c@x']);
    expect([...made.subscriptions].map(String)).toEqual(['b@x']);
    expect([made.version, made.size]).toEqual([6, 3]);
  });
});

describe('what changed since a version', () => {
  const made = roster(item('a@x', 'none', 10), item('b@x', 'to', 20), item('c@x', 'from', 30));
  made.put(item('a@x', 'both', 40));

  it('comes in the order of the changes', () => {
    expect(names(made.changedSince(20))).toEqual(['c@x', 'a@x']);
    expect(names(made.changedSince(30))).toEqual(['a@x']);
    expect(names(made.changedSince(40))).toEqual([]);
  });

  it('is not told from a version that is not on file', () => {
    expect(made.changedSince(10)).toBeUndefined(); // that item has changed again
    expect(made.changedSince(25)).toBeUndefined();
    expect(made.changedSince(50)).toBeUndefined();
  });

  it('is not told from before a removal', () => {
    const other = roster(item('a@x', 'none', 10), item('b@x', 'to', 20), item('c@x', 'from', 30));
    other.remove(Jid.parse('a@x'), 40);
    expect(other.changedSince(20)).toBeUndefined();
    expect(other.changedSince(40)).toEqual([]);
    other.put(item('b@x', 'none', 50));
    expect(names(other.changedSince(40))).toEqual(['b@x']);
  });

  it('is nothing in a roster that was never changed', () => {
    expect(roster().changedSince(UNCHANGED)).toEqual([]);
    expect(roster().changedSince(7)).toBeUndefined();
  });
});

it('remembers who waits for an answer', () => {
  const made = roster();
  made.setRequest(Jid.parse('a@x'), true);
  expect([...made.requests]).toEqual(['a@x']);
  made.setRequest(Jid.parse('a@x'), false);
  expect(made.requests.size).toBe(0);
});
