import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GroupHead } from './group.ts';
import { GroupTable } from './group-table.ts';
import { GroupViews } from './group-views.ts';

let table: GroupTable;
let views: GroupViews;
let guests: string[];

beforeEach(() => {
  table = new GroupTable();
  guests = [];
  views = new GroupViews(table, (domain) => guests.includes(domain));
});

const jid = (name: string) => Jid.parse(name.includes('@') ? name : `${name}@x`);
const people = (names: string) =>
  new Map(names.split(' ').flatMap((name) => (name === '' ? [] : ([[jid(name).bareText, name]] as const))));

let revision = 0;

/** Changes a group, and gives who may see something else of whom: `viewer…>contact…`. */
function put(name: string, head: Partial<GroupHead> | undefined, add = '', remove = '') {
  const known = table.get(name);
  const before = known?.revision ?? 0;
  const after = ++revision;
  const { name: is = name, label = name, source = 'corp', shownTo = 'members' } = { ...known, ...head };
  const change = table.apply({
    id: name,
    before,
    after,
    head: head && { name: is, label, source, shownTo },
    add: people(add),
    remove: [...people(remove).keys()],
  });
  table.settle(name, after);
  return change.views.map(({ viewers, contacts, namesOnly }) => {
    const texts = viewers === 'everyone' ? viewers : locals(viewers);
    return `${texts}>${locals(contacts)}${namesOnly ? ' names' : ''}`;
  });
}

const locals = (jids: Iterable<Jid>) =>
  [...jids]
    .map(({ local }) => local)
    .sort()
    .join(',');
const contacts = (viewer: string) => locals([...views.contactsOf(jid(viewer))].map((person) => person.jid));
const viewers = (contact: string) => locals(views.viewersOf(jid(contact), () => [jid('a'), jid('online')]));

it('a group is of the directory that it comes from, whatever it is called', () => {
  put('g', { name: 'wizards', source: 'corp' }, 'a');
  put('h', { name: 'corp/wizards', source: 'guests' }, 'b');
  expect(['wizards', 'Corp/Wizards'].map((name) => table.isMember(jid('a'), name))).toEqual([true, true]);
  expect(['wizards', 'corp/wizards'].map((name) => table.isMember(jid('b'), name))).toEqual([false, false]);
  expect(table.isMember(jid('b'), 'guests/corp/wizards')).toBe(true);
});

describe('members who see each other', () => {
  it('are told of whoever comes and goes, and those of them', () => {
    expect(put('crew', {}, 'a b')).toEqual(['a,b>a,b']);
    expect(put('crew', undefined, 'c')).toEqual(['a,b,c>c', 'c>a,b,c']);
    expect(put('crew', undefined, 'd', 'a')).toEqual(['a,b,c>a', 'a>a,b,c', 'b,c,d>d', 'd>b,c,d']);
    expect([contacts('b'), contacts('a'), viewers('d')]).toEqual(['c,d', '', 'b,c']);
    expect([views.sees(jid('b'), jid('c')), views.sees(jid('b'), jid('b')), views.sees(jid('a'), jid('c'))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are told of names and labels', () => {
    put('crew', {}, 'a b');
    expect(put('crew', { label: 'The crew' })).toEqual(['a,b>a,b names']);
    const change = table.apply({
      id: 'crew',
      before: revision,
      after: ++revision,
      add: new Map([['a@x', 'Ann']]),
      remove: [],
    });
    expect(change.views).toMatchObject([{ contacts: [jid('a')], namesOnly: true }]);
    expect(views.seen(jid('b'), jid('a'))).toEqual({ name: 'Ann', labels: ['The crew'] });
    expect(put('crew', { label: 'The crew' })).toEqual([]);
  });

  it('are told of a name once, whichever group tells it first', () => {
    put('hidden', { shownTo: 'nobody' }, 'a');
    put('crew', {}, 'a b');
    const change = { id: 'hidden', before: 0, after: 0, add: new Map([['a@x', 'Ann']]), remove: [] };
    expect(table.apply(change).views).toMatchObject([{ contacts: [jid('a')], namesOnly: true }]);
    expect(table.apply({ ...change, id: 'crew' }).views).toEqual([]);
  });

  it('are one object in all their groups, and gone with the last one', () => {
    put('crew', {}, 'a b');
    put('band', {}, 'a c');
    expect(table.get('crew')?.members.get('a@x')).toBe(table.get('band')?.members.get('a@x'));
    expect(locals([...table.of(jid('a'))].map(({ name }) => jid(name)))).toBe('band,crew');
    expect([contacts('a'), viewers('a')]).toEqual(['b,c', 'b,c']);
    put('crew', undefined, '', 'a');
    expect([contacts('a'), contacts('b')]).toEqual(['c', '']);
    table.apply({ id: 'band', before: revision, after: ++revision, head: null, add: new Map(), remove: [] });
    expect(table.person(jid('a'))).toBeUndefined();
    expect(table.size).toBe(1);
  });
});

describe('a group that is shown to others', () => {
  it('is seen by their members, who are not seen', () => {
    put('guests', { shownTo: 'nobody' }, 'g');
    expect(put('crew', { shownTo: ['Guests', 'corp/staff'] }, 'a b')).toEqual(['g>a,b']);
    expect([contacts('g'), contacts('a'), viewers('a'), viewers('g')]).toEqual(['a,b', '', 'g', '']);
    expect(put('staff', { shownTo: 'nobody' }, 's g')).toEqual(['g,s>a,b']);
    expect([viewers('a'), contacts('s')]).toEqual(['g,s', 'a,b']);
    expect(put('staff', undefined, '', 's')).toEqual(['s>a,b']);
    expect(put('crew', undefined, 'c')).toEqual(['g>c']);
    expect(put('crew', { shownTo: 'members' })).toEqual(['g>a,b,c', 'a,b,c>a,b,c']);
    expect(views.sees(jid('g'), jid('a'))).toBe(false);
  });

  it('is another one where it comes from another directory', () => {
    put('crew', { shownTo: ['other/staff'] }, 'a');
    put('staff', { shownTo: 'nobody' }, 's');
    expect(contacts('s')).toBe('');
    expect([table.isMember(jid('s'), 'STAFF'), table.isMember(jid('s'), 'corp/Staff')]).toEqual([true, true]);
    expect([table.isMember(jid('s'), 'other/staff'), table.isMember(jid('a'), 'staff')]).toEqual([false, false]);
  });
});

describe('a group that is shown to everyone', () => {
  it('is seen in its own domain, by whoever is there', () => {
    expect(put('crew', { shownTo: 'everyone' }, 'a b far@y')).toEqual(['everyone>a,b,far']);
    expect([contacts('online'), contacts('a'), contacts('z@y'), contacts('z@z')]).toEqual(['a,b', 'b', 'far', '']);
    expect(viewers('b')).toBe('a,online');
    put('band', {}, 'b far@y');
    expect([viewers('b'), contacts('b')]).toEqual(['a,far,online', 'a,far']);
  });

  it('is seen by nobody where anybody may be a guest', () => {
    put('crew', { shownTo: 'everyone' }, 'a b');
    guests.push('x');
    expect([contacts('online'), viewers('b'), views.sees(jid('a'), jid('b'))]).toEqual(['', '', false]);
  });
});

describe('the version', () => {
  it('changes with what concerns somebody, and with nothing else', () => {
    expect(views.versionFor(jid('a'))).toBeUndefined();
    put('crew', {}, 'a b');
    put('others', {}, 'c');
    const before = views.versionFor(jid('a'));
    expect(before).toMatch(/^[\w-]{16}$/);
    expect(views.versionFor(jid('nobody'))).toBeUndefined();
    put('others', undefined, 'd');
    expect(views.versionFor(jid('a'))).toBe(before);
    put('crew', undefined, 'd');
    const after = views.versionFor(jid('a'));
    expect(after).not.toBe(before);
    put('crew', { shownTo: ['others'] });
    const shown = views.versionFor(jid('a'));
    expect(shown).not.toBe(after);
    put('others', undefined, 'e'); // another one sees A
    expect(views.versionFor(jid('a'))).not.toBe(shown);
  });
});

it('costs as much as changes, in a group of 2,000', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `user${i}`).join(' ');
  put('crew', {}, names);
  const change = table.apply({ id: 'crew', before: revision, after: ++revision, add: people('new'), remove: [] });
  const told = change.views.reduce((sum, { viewers, contacts }) => sum + viewers.length + contacts.length, 0);
  expect(told).toBeLessThan(2 * 2001 + 3);
  expect([...views.contactsOf(jid('new'))]).toHaveLength(2000);
});
