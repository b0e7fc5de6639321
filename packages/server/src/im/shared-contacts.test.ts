import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ShownTo } from '../auth/groups/group.ts';
import { GroupTable } from '../auth/groups/group-table.ts';
import { GroupViews } from '../auth/groups/group-views.ts';
import { AccountRoster } from './account-roster.ts';
import type { RosterItem } from './roster-item.ts';
import { SharedContacts } from './shared-contacts.ts';
import type { Subscription } from './subscription-state.ts';

const juliet = Jid.parse('juliet@x');
const romeo = Jid.parse('romeo@x');
const nurse = Jid.parse('nurse@x');
const stranger = Jid.parse('stranger@x');

let table: GroupTable;
let shared: SharedContacts;

beforeEach(() => {
  table = new GroupTable();
  const online = { *accountsOf() { yield* [juliet, stranger]; } }; // biome-ignore format: one line says it
  shared = new SharedContacts(new GroupViews(table, () => false), online);
});

let revision = 0;
const put = (name: string, shownTo: ShownTo, ...members: Jid[]) =>
  table.apply({
    id: name,
    before: 0,
    after: ++revision,
    head: { name, label: name, source: 'corp', shownTo },
    add: new Map(members.map((jid) => [jid.bareText, jid.local.toUpperCase()])),
    remove: [],
  });

const own = (jid: Jid, subscription: Subscription, more: Partial<RosterItem> = {}): RosterItem => ({
  ...{ jid, subscription, ask: false, approved: false, name: undefined, groups: [], version: 7 },
  ...more,
});

function rosterOf(account: Jid, ...items: RosterItem[]): AccountRoster {
  const byContact = new Map(items.map((item) => [item.jid.bareText, item]));
  return new AccountRoster(byContact, new Set(), 7, 0, shared.of(account));
}

describe('a roster to which groups add', () => {
  it('has each contact once, and what is the account’s own first', () => {
    put('crew', 'members', juliet, romeo, nurse);
    put('band', 'members', juliet, romeo);
    const roster = rosterOf(
      juliet,
      own(stranger, 'from'),
      own(romeo, 'none', { name: 'Rom', groups: ['Love'], ask: true }),
    );
    expect([...roster.allShown()]).toEqual([
      own(stranger, 'from'),
      own(romeo, 'both', { name: 'Rom', groups: ['crew', 'band', 'Love'] }),
      own(nurse, 'both', { name: 'NURSE', groups: ['crew'], version: 0 }),
    ]);
    expect([...roster.subscribers].map(String)).toEqual(['stranger@x', 'romeo@x', 'nurse@x']);
    expect([...roster.subscriptions].map(String)).toEqual(['romeo@x', 'nurse@x']);
    expect([roster.isSubscriber(romeo), roster.isSubscribed(nurse), roster.isSubscribed(stranger)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([roster.has(nurse), roster.get(nurse), roster.size]).toEqual([true, undefined, 2]);
    expect(roster.sharedVersion).toMatch(/^[\w-]{16}$/);
  });

  it('names the two directions apart', () => {
    put('staff', 'nobody', juliet);
    put('crew', ['staff'], romeo);
    put('famous', 'everyone', nurse);
    expect(rosterOf(juliet).shown(romeo)).toMatchObject({ subscription: 'to', groups: ['crew'] });
    expect(rosterOf(romeo).shown(juliet)).toBeUndefined();
    expect(rosterOf(romeo, own(juliet, 'none')).shown(juliet)).toMatchObject({ subscription: 'from', name: undefined });
    expect(rosterOf(romeo, own(juliet, 'to')).shown(juliet)).toMatchObject({ subscription: 'both' });
    expect([...rosterOf(nurse).subscribers].map(String)).toEqual(['juliet@x', 'stranger@x']);
    expect([...rosterOf(nurse).subscriptions]).toEqual([]);
    expect([shared.sees(stranger, nurse), shared.sees(nurse, stranger)]).toEqual([true, false]);
  });

  it('is the account’s own alone where there are no groups', () => {
    const roster = rosterOf(juliet, own(romeo, 'both'));
    expect([...roster.allShown()]).toEqual([own(romeo, 'both')]);
    expect(roster.sharedVersion).toBeUndefined();
    expect([...roster.subscribers].map(String)).toEqual(['romeo@x']);
  });
});

it('what a client has chosen is the user’s own where it is not the group’s', () => {
  put('crew', 'members', juliet, romeo);
  const view = shared.of(juliet);
  expect(view.ownPart(romeo, 'ROMEO', ['crew', 'Love'])).toEqual({ name: undefined, groups: ['Love'] });
  expect(view.ownPart(romeo, 'Rom', [])).toEqual({ name: 'Rom', groups: [] });
  expect(view.ownPart(stranger, 'S', ['crew'])).toEqual({ name: 'S', groups: ['crew'] });
});
