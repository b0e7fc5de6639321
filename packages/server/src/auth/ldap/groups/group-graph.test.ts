import { beforeEach, describe, expect, it } from 'vitest';
import type { GroupEntry } from './group-entry.ts';
import { GroupGraph } from './group-graph.ts';
import type { MemberPerson } from './member-people.ts';

let graph: GroupGraph;
const people = {
  byDn: (dn: string): MemberPerson | undefined =>
    dn.startsWith('uid=') ? { dn, login: undefined, account: `${dn.slice(4)}@x`, name: dn.slice(4) } : undefined,
  byLogin: (login: string): MemberPerson | undefined =>
    login === 'nobody' ? undefined : { dn: '', login, account: `${login}@x`, name: login },
  ofPrimaryGroup: (sid: string): MemberPerson[] =>
    sid === '0513' ? ['p', 'q'].map((name) => ({ dn: '', login: undefined, account: `${name}@x`, name })) : [],
};

/** What entries are called now. */
const former = (dn: string) => (dn === 'cn=OLD' ? 'cn=C' : undefined);

/** A group whose members are people in small letters and groups in capitals; behind a slash are login names. */
function entry(id: string, members: string, dn = `cn=${id}`): GroupEntry {
  const [names = '', logins = ''] = members.split('/');
  const dns = names.split(' ').filter(Boolean);
  return {
    id,
    dn,
    name: id,
    label: id,
    members: new Set(dns.map((name) => (/[A-Z]/.test(name) ? `cn=${name}` : `uid=${name}`))),
    logins: new Set(logins.split(' ').filter(Boolean)),
  };
}

const put = (id: string, members: string, dn?: string) => [...graph.set(id, entry(id, members, dn))].sort().join(' ');

function members(id: string, limits = {}): string | undefined {
  const group = graph.get(id);
  const found = group && graph.membersOf(group, people, former, { nestedDepth: 5, mostMembers: 100, ...limits });
  return found && [...found.values()].sort().join(' ');
}

beforeEach(() => {
  graph = new GroupGraph();
});

describe('the members of a group', () => {
  it('are its people, by entries and by logins, and those of its groups', () => {
    put('A', 'a b B unknown?/c nobody');
    put('B', 'b d C');
    put('C', 'e');
    expect(members('A')).toBe('a b c d e unknown?');
    put('B', 'b OLD');
    expect(members('B')).toBe('b e');
    expect(members('C')).toBe('e');
  });

  it('are those whose primary group it is, and that goes through groups, too', () => {
    put('A', 'a B');
    graph.set('B', { ...entry('B', 'b'), sid: '0513' });
    expect([members('A'), members('B')]).toEqual(['a b p q', 'b p q']);
    expect([...graph.concernedBy([], [], ['0513', '0514'])].sort()).toEqual(['A', 'B']);
    graph.set('B', undefined);
    expect([...graph.concernedBy([], [], ['0513'])]).toEqual([]);
  });

  it('are each once in a circle', () => {
    put('A', 'a B A');
    put('B', 'b C');
    put('C', 'c A');
    for (const id of ['A', 'B', 'C']) expect(members(id)).toBe('a b c');
  });

  it('are looked for as deep as may be', () => {
    put('A', 'a B');
    put('B', 'b C');
    put('C', 'c D');
    put('D', 'd');
    expect([0, 1, 2, 3].map((nestedDepth) => members('A', { nestedDepth }))).toEqual(['a', 'a b', 'a b c', 'a b c d']);
    put('A', 'a B C'); // now it is less deep
    expect(members('A', { nestedDepth: 1 })).toBe('a b c');
  });

  it('are as many as there may be, or none', () => {
    put('A', 'a b B');
    put('B', 'c');
    expect(members('A', { mostMembers: 3 })).toBe('a b c');
    expect(members('A', { mostMembers: 2 })).toBeUndefined();
  });
});

describe('a change', () => {
  it('concerns the group, and all in which it is', () => {
    put('A', 'B');
    put('B', 'C');
    put('X', 'x');
    expect(put('C', 'c')).toBe('A B C');
    expect(put('C', 'c d')).toBe('A B C');
    expect(put('C', 'c', 'cn=Other')).toBe('A B C');
    expect(put('C', 'c d', 'cn=Other')).toBe('C');
    expect([...graph.set('X', undefined)]).toEqual(['X']);
    expect(graph.size).toBe(3);
  });

  it('of a person concerns the groups that name them', () => {
    put('A', 'B');
    put('B', 'a/l');
    put('C', 'c');
    expect([...graph.concernedBy(['uid=a', 'uid=z'], [])].sort()).toEqual(['A', 'B']);
    expect([...graph.concernedBy([], ['l'])].sort()).toEqual(['A', 'B']);
    put('B', '');
    expect([...graph.concernedBy(['uid=a'], ['l'])]).toEqual([]);
  });

  it('goes round no circle', () => {
    put('A', 'B');
    put('B', 'A');
    expect([...graph.set('A', undefined)].sort()).toEqual(['A', 'B']);
  });
});
