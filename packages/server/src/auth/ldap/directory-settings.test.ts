import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../config/problem.ts';
import { settingsFor } from './testing.ts';

const entry = (more: object = {}) => ({
  name: 'corp',
  servers: ['ldaps://localhost'],
  bind: { dn: 'cn=parley,dc=example', password: 'secret' },
  people: { base: 'ou=people,dc=example' },
  groups: { base: 'ou=groups,dc=example' },
  ...more,
});

function problems(more: object): string[] {
  try {
    settingsFor(entry(more));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ path, problem }) => `${path} ${problem}`);
  }
}

describe('what people may write themselves', () => {
  const decides = (field: string) =>
    `directories[0].vcard.writable lets people write ${field}, which decides who they are and whether they may log in`;

  it('is what decides nothing', () => {
    expect(problems({ vcard: { writable: ['mobile', 'photo', 'fullName'] } })).toEqual([]);
    const people = { base: 'ou=people,dc=example', address: 'uid', domain: 'localhost' };
    expect(problems({ people, vcard: { writable: ['email'] } })).toEqual([]);
  });

  it.each([
    ['their address', { vcard: { writable: ['mobile', 'email'] } }, 'email'],
    ['their state', { vcard: { writable: ['description'], fields: { description: ['PWDRESET'] } } }, 'description'],
    ['their login', { vcard: { writable: ['nickname'], fields: { nickname: ['uid'] } } }, 'nickname'],
    ['their password', { vcard: { writable: ['pager'], fields: { pager: ['userPassword'] } } }, 'pager'],
    ['their groups', { vcard: { writable: ['role'], fields: { role: ['memberOf'] } } }, 'role'],
  ])('is not %s', (_, more, field) => {
    expect(problems(more)).toEqual([decides(field)]);
  });
});

it('the groups of a directory are its own', () => {
  const groups = { base: 'ou=groups,dc=example', mayLogIn: ['staff', 'CORP/guests', 'x/y'] };
  const settings = settingsFor(entry({ groups, search: { allow: ['staff'] } }));
  expect(settings.groups?.mayLogIn).toEqual(['corp/staff', 'CORP/guests', 'corp/x/y']);
  expect(settings.search.allow).toEqual(['corp/staff']);
});
