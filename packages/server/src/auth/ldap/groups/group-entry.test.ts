import { describe, expect, it } from 'vitest';
import { configurationSchema } from '../../../config/schema.ts';
import type { SearchOptions } from '../directory.ts';
import { entryOf } from '../entry.ts';
import type { DirectoryType } from '../presets.ts';
import { readGroupEntry } from './group-entry.ts';
import { type GroupSettings, groupSettings, memberAttributes, namesIn } from './group-settings.ts';

function settings(groups: object = {}, type: DirectoryType = 'openldap'): GroupSettings {
  const config = configurationSchema().parse({
    directories: [
      {
        name: 'corp',
        type,
        servers: ['ldaps://x'],
        bind: { dn: 'cn=x', password: 'x' },
        people: { base: 'dc=x' },
        groups: { base: 'ou=groups,dc=x', ...groups },
      },
    ],
  });
  const inFull = namesIn('corp', new Set(['corp', 'other']));
  return groupSettings(config.directories[0]?.groups as never, type, inFull) as GroupSettings;
}

const nothing = { search: () => Promise.reject(new Error('It is not to be asked.')) };
/** S-1-5-32 */
const BUILT_IN = '010200000000000520000000';
const DN = 'CN=Crew, ou=groups,dc=x';

describe('an entry', () => {
  it('is a group with the members that it names', async () => {
    const entry = entryOf(DN, [
      ['cn', ['Crew']],
      ['description', ['The whole crew']],
      ['member', ['UID=a, dc=x']],
      ['uniqueMember', ["uid=b,dc=x#'0101'B", 'uid=a,dc=x']],
      ['memberUid', ['Carl']],
    ]);
    expect(await readGroupEntry('1', entry, settings({ label: 'description' }), nothing)).toEqual({
      id: '1',
      dn: 'cn=crew,ou=groups,dc=x',
      name: 'Crew',
      label: 'The whole crew',
      members: new Set(['uid=a,dc=x', 'uid=b,dc=x']),
      logins: new Set(['carl']),
    });
    expect((await readGroupEntry('1', entry, settings(), nothing))?.label).toBe('Crew');
  });

  it.each([[[]], [['']], [[' ']], [['x'.repeat(1024)]]])('is none where its name is none: %o', async (names) => {
    expect(await readGroupEntry('1', entryOf(DN, [['cn', names]]), settings(), nothing)).toBeUndefined();
  });

  it('is asked for again where Active Directory gives only some of its members', async () => {
    const all = Array.from({ length: 4000 }, (_, i) => `cn=${i}`);
    const asked: string[] = [];
    const page = (from: number) => {
      const some = all.slice(from, from + 1500);
      const end = from + 1500 >= all.length ? '*' : from + 1499;
      return entryOf(DN, [
        ['cn', ['Crew']],
        [`member;range=${from}-${end}`, some],
      ]);
    };
    const directory = {
      search: async (_base: string, { attributes }: SearchOptions) => {
        asked.push(...attributes);
        return [page(Number(/=(\d+)-/.exec(attributes[0] ?? '')?.[1]))];
      },
    };
    const group = await readGroupEntry('1', page(0), settings({}, 'activeDirectory'), directory);
    expect(group?.members.size).toBe(4000);
    expect(asked).toEqual(['member;range=1500-*', 'member;range=3000-*']);
  });
});

describe('rules', () => {
  it('show to no members by themselves what everybody is in from the beginning', () => {
    const sid = (number: string) => `010500000000000515000000010000000200000003000000${number}`;
    const [users, guests, own, builtIn] = [sid('01020000'), sid('02020000'), sid('e8030000'), `${BUILT_IN}21020000`];
    const shown = (rules?: object[]) =>
      [users, guests, own, builtIn].map((each) => settings(rules && { show: rules }).shownTo('Domain Users', each));
    expect(shown()).toEqual(['nobody', 'nobody', 'members', 'nobody']);
    expect(shown([{ groups: ['domain *'], to: 'everyone' }])).toEqual(Array(4).fill('everyone'));
  });

  it('say in whose rosters groups are: the first that fits', () => {
    const show = [
      { groups: ['secret*', 'a.c'], to: 'nobody' },
      { groups: ['Team *'], to: ['Heads', 'Other/heads', 'a/b'] },
      { groups: ['*'], to: 'everyone' },
    ];
    const { shownTo } = settings({ show });
    expect(['Secret one', 'a.c', 'abc', 'team red', 'x'].map((name) => shownTo(name))).toEqual([
      'nobody',
      'nobody',
      'everyone',
      ['corp/Heads', 'Other/heads', 'corp/a/b'],
      'everyone',
    ]);
  });

  it.each([
    ['a*a', 'aa aba', 'a ab ba'],
    ['*x*y*', 'xy axbyc XY', 'yx x y'],
    ['ab*ba', 'abba abxba', 'aba ab ba'],
    ['*a*b', 'ab aab xaxb', 'b ba abc'],
    ['a.*', 'a. a.b', 'ab'],
  ])('take a * for anything: %s', (pattern, fitting, others) => {
    const { shownTo } = settings({ show: [{ groups: [pattern], to: 'everyone' }] });
    expect(fitting.split(' ').filter((name) => shownTo(name) !== 'everyone')).toEqual([]);
    expect(others.split(' ').filter((name) => shownTo(name) !== 'nobody')).toEqual([]);
  });

  it('show all groups to their members where nothing is said, and none that no rule names', () => {
    expect(settings().shownTo('x')).toBe('members');
    expect(settings({ show: [] }).shownTo('x')).toBe('nobody');
  });
});

it('types fill in what is usual', () => {
  expect(settings().filter.toString()).toContain('posixGroup');
  const active = settings({}, 'activeDirectory');
  expect([active.members, active.logins, memberAttributes(active)]).toEqual([
    ['member'],
    [],
    ['displayName', 'cn', 'objectSid', 'primaryGroupID'],
  ]);
  expect(memberAttributes(settings({ login: 'employeeNumber' }))).toContain('employeeNumber');
  expect(() => settings({ filter: '(&(cn=x))()' })).toThrow();
});
