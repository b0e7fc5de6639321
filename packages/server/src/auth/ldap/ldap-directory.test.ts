import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Slapd } from '../../../../../tests/services/slapd.ts';
import { personDn } from '../../../../../tests/services/slapd-files.ts';
import { directoryOf } from './testing.ts';

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting();
});
afterAll(() => slapd.end());

test('a person is found by the address, and by the id', async () => {
  const directory = directoryOf(slapd);
  const romeo = await directory.findPerson(Jid.parse('romeo@localhost'));
  expect(romeo).toMatchObject({ dn: personDn('romeo'), state: { kind: 'active' } });
  expect(romeo?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect((await directory.findPersonById(romeo?.id ?? ''))?.account.bareText).toBe('romeo@localhost');
  expect(await directory.findPerson(Jid.parse('rosaline@localhost'))).toBeUndefined();
});

test('a password is tried as the person', async () => {
  const directory = directoryOf(slapd);
  expect(await directory.bindAs(personDn('romeo'), 'pw-romeo')).toMatchObject({ kind: 'accepted', code: 0 });
  expect(await directory.bindAs(personDn('romeo'), 'wrong')).toMatchObject({ kind: 'wrong', code: 49 });
  expect(await directory.bindAs(personDn('romeo'), '')).toMatchObject({ kind: 'wrong' });
});
