import { Jid } from '@parley/xmpp/jid';
import { expect, test } from 'vitest';
import type { DirectoryConfiguration } from '../../../config/directory.ts';
import { entryOf } from '../entry.ts';
import type { Person } from '../person.ts';
import { changeAttributes, marksOf } from './password-mark.ts';

const settings = (type: DirectoryConfiguration['type'], changed?: string) => ({
  type,
  passwords: { scram: 'learn', changed } as DirectoryConfiguration['passwords'],
});

function person(attributes: Record<string, string>): Person {
  const values = Object.entries(attributes).map(([name, value]) => [name, [Buffer.from(value)]] as const);
  const account = Jid.parse('romeo@localhost');
  return { id: 'an-id', dn: 'uid=romeo', account, state: { kind: 'active' }, entry: entryOf('uid=romeo', values) };
}

const marks = (attributes: Record<string, string>, type: DirectoryConfiguration['type'] = 'openldap') =>
  marksOf(person(attributes), settings(type), Date.UTC(2026, 10, 26, 12));
const lasting = (attributes: Record<string, string>) => marks(attributes).lasting?.changed;

test('a password that was changed long ago has a lasting mark', () => {
  expect(lasting({ pwdChangedTime: '20261126115800Z', modifyTimestamp: '20261126120000Z' })).toBe(
    'pwdChangedTime=20261126115800Z',
  );
});

test('without its own time each change of the entry counts, and is not taken for that', () => {
  expect(lasting({ modifyTimestamp: '20261126115800Z' })).toBe('modifyTimestamp=20261126115800Z');
});

test('one that was changed a moment ago, or when nobody knows, lasts until the entry changes', () => {
  for (const pwdChangedTime of ['20261126115930Z', '20261126120130Z', 'garbage']) {
    expect(marks({ pwdChangedTime, entryCSN: '1#0' })).toEqual({
      lasting: undefined,
      brief: { id: 'an-id', changed: `pwdChangedTime=${pwdChangedTime} entryCSN=1#0` },
    });
    expect(marks({ pwdChangedTime }).brief).toBeUndefined();
  }
});

test('where the directory counts finely enough, it always lasts', () => {
  expect(marks({ pwdLastSet: '134087328000000000' }, 'activeDirectory').lasting).toBeDefined();
});

test('nothing is known where nothing is told', () => {
  expect(marks({})).toEqual({ lasting: undefined, brief: undefined });
});

test('only what is of use is asked for', () => {
  expect(changeAttributes(settings('389ds', 'lastChange'))).toEqual(['lastChange', 'modifyTimestamp', 'entryCSN']);
  const none = settings('openldap');
  expect(changeAttributes({ ...none, passwords: { ...none.passwords, scram: 'relay' } })).toEqual(['pwdChangedTime']);
});
