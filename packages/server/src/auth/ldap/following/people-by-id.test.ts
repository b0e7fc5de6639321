import { expect, it } from 'vitest';
import type { PersonState } from '../person-state.ts';
import { noEffects, PeopleById } from './people-by-id.ts';

const ambiguous: string[] = [];

const person = (name: string, state: PersonState = { kind: 'active' }, dn = `cn=${name}`) => ({
  account: `${name}@localhost`,
  dn,
  state,
});

/** What a change comes to, in words. */
function set(index: PeopleById, id: string, next: ReturnType<typeof person> | undefined): string[] {
  const effects = noEffects();
  index.set(id, next, effects);
  return [
    ...effects.people.map(({ id: whose, account, record }) => `${record ? 'put' : 'remove'} ${account} of ${whose}`),
    ...effects.changes.map(({ kind, account, before, quiet }) =>
      [kind, account, ...(before ? [`was ${before}`] : []), ...(quiet ? ['quietly'] : [])].join(' '),
    ),
  ];
}

const index = () => new PeopleById((account) => ambiguous.push(account));

it('tells what a change comes to', () => {
  const all = index();
  expect(set(all, '1', person('romeo'))).toEqual(['put romeo@localhost of 1', 'added romeo@localhost']);
  expect(set(all, '1', person('romeo'))).toEqual([]);
  expect(set(all, '1', person('romeo', { kind: 'disabled' }))).toEqual([
    'put romeo@localhost of 1',
    'changed romeo@localhost',
  ]);
  expect(set(all, '1', person('romeo', { kind: 'disabled' }, 'cn=another'))).toEqual([
    'put romeo@localhost of 1',
    'changed romeo@localhost quietly',
  ]);
  expect(set(all, '1', person('montague'))).toEqual([
    'remove romeo@localhost of 1',
    'put montague@localhost of 1',
    'moved montague@localhost was romeo@localhost',
  ]);
  expect(set(all, '2', undefined)).toEqual([]);
  expect(set(all, '1', undefined)).toEqual(['remove montague@localhost of 1', 'removed montague@localhost']);
  expect(all.size).toBe(0);
});

it('leaves an address with the one who had it first, until that one lets go of it', () => {
  const all = index();
  set(all, '1', person('romeo'));
  expect(set(all, '2', person('romeo'))).toEqual([]);
  expect(ambiguous).toEqual(['romeo@localhost']);
  expect(set(all, '2', person('romeo', { kind: 'locked' }))).toEqual([]);
  expect(set(all, '1', undefined)).toEqual([
    'remove romeo@localhost of 1',
    'put romeo@localhost of 2',
    'removed romeo@localhost',
    'added romeo@localhost',
  ]);
  set(all, '3', person('romeo'));
  expect(set(all, '3', person('paris'))).toEqual(['put paris@localhost of 3', 'added paris@localhost']);
  // somebody who takes over an address that is taken has none
  expect(set(all, '3', person('romeo'))).toEqual(['remove paris@localhost of 3', 'removed paris@localhost']);
  expect(set(all, '3', undefined)).toEqual([]);
});

it('gives an address from one to another, in whichever order it is told', () => {
  const all = index();
  set(all, '1', person('romeo'));
  set(all, '2', person('juliet'));
  expect(set(all, '2', person('romeo'))).toEqual(['remove juliet@localhost of 2', 'removed juliet@localhost']);
  expect(set(all, '1', person('juliet'))).toEqual([
    'remove romeo@localhost of 1',
    'put juliet@localhost of 1',
    'put romeo@localhost of 2',
    'moved juliet@localhost was romeo@localhost',
    'added romeo@localhost',
  ]);
});

it('remembers entries that are no accounts', () => {
  const all = index();
  expect(set(all, '1', person('romeo'))).toHaveLength(2);
  expect(set(all, '1', { ...person(''), account: '' })).toEqual([
    'remove romeo@localhost of 1',
    'removed romeo@localhost',
  ]);
  expect(set(all, '2', { ...person(''), account: '' })).toEqual([]);
  expect(all.size).toBe(2);
  expect(set(all, '2', undefined)).toEqual([]);
  expect(set(all, '1', person('romeo'))).toEqual(['put romeo@localhost of 1', 'added romeo@localhost']);
});

it('remembers who had an address', () => {
  const all = index();
  all.restore('2', person('romeo'));
  all.restore('1', person('romeo'));
  expect([...all.shared]).toEqual(['romeo@localhost']);
  all.own('romeo@localhost', '1');
  expect(set(all, '2', undefined)).toEqual([]);
  expect(set(all, '1', undefined)).toEqual(['remove romeo@localhost of 1', 'removed romeo@localhost']);
});

it('knows entries by what the directory calls them when it synchronises', () => {
  const all = index();
  const uuid = '4690fcca-7dde-1041-975c-af4b46af79fc';
  set(all, uuid, person('romeo'));
  expect(all.idOf('4690FCCA7DDE1041-975CAF4B46AF79FC')).toBe(uuid);
  const effects = noEffects();
  all.set('17', { ...person('juliet'), entryUuid: '00000000-0000-0000-0000-000000000017' }, effects);
  expect(all.idOf('00000000-0000-0000-0000-000000000017')).toBe('17');
  set(all, '17', undefined);
  expect(all.idOf('00000000-0000-0000-0000-000000000017')).toBeUndefined();
});
