import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Slapd } from '../../../../../../tests/services/slapd.ts';
import { POLICIES, personDn } from '../../../../../../tests/services/slapd-files.ts';
import { directoryOf } from '../testing.ts';
import { type BindKind, bindOutcome } from './bind-outcome.ts';

const ad = (data: string) =>
  `80090308: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data ${data}, v4563`;

describe('a bind', () => {
  test.each<[string, number, string, object | undefined, BindKind, boolean]>([
    ['that succeeds', 0, '', undefined, 'accepted', true],
    ['that succeeds, with a control', 0, '', {}, 'accepted', true],
    ['with a grace login', 0, '', { graceAuthNsRemaining: 2 }, 'grace', true],
    ['with the last grace login', 0, '', { graceAuthNsRemaining: 0 }, 'grace', true],
    ['shortly before the end', 0, '', { timeBeforeExpiration: 100 }, 'expiring', true],
    ['after a reset', 0, '', { error: 2 }, 'must-change', true],
    ['with a wrong password', 49, '', {}, 'wrong', false],
    ['with an expired password', 49, '', { error: 0 }, 'expired', true],
    ['of a locked account', 49, '', { error: 1 }, 'locked', false],
    ['of no entry', 32, '', undefined, 'unknown', false],
    ['of an entry without password', 48, '', undefined, 'wrong', false],
    ['at a server that is busy', 51, '', undefined, 'away', false],
    ['at a server that wants encryption', 13, '', undefined, 'away', false],
    ['at a server that names another one', 10, '', undefined, 'away', false],
    ['at 389 DS with an expired password', 49, 'password expired!', undefined, 'expired', true],
    ['at 389 DS, tried too often', 19, 'Exceed password retry limit. Please try later.', undefined, 'locked', false],
    ['at 389 DS, inactivated', 53, 'Account inactivated. Contact system administrator.', undefined, 'disabled', false],
    ['at FreeIPA, locked', 53, 'Entry permanently locked.', undefined, 'locked', false],
    ['that is not wanted', 53, 'unauthenticated bind (DN with no password) disallowed', undefined, 'wrong', false],
    ['at Active Directory of nobody', 49, ad('525'), undefined, 'unknown', false],
    ['at Active Directory with a wrong password', 49, ad('52e'), undefined, 'wrong', false],
    ['at Active Directory at a wrong hour', 49, ad('530'), undefined, 'disabled', true],
    ['at Active Directory with an expired password', 49, ad('532'), undefined, 'expired', true],
    ['at Active Directory, disabled', 49, ad('533'), undefined, 'disabled', true],
    ['at Active Directory, at its end', 49, ad('701'), undefined, 'disabled', true],
    ['at Active Directory, to be changed', 49, ad('773'), undefined, 'must-change', true],
    ['at Active Directory, locked', 49, ad('775'), undefined, 'locked', false],
    ['at Active Directory, for a new reason', 49, ad('999'), undefined, 'wrong', false],
  ])('%s', (_, code, diagnostic, control, kind, proved) => {
    expect(bindOutcome(code, diagnostic, control)).toMatchObject({ kind, proved, code, diagnostic });
  });
});

describe('under a policy of OpenLDAP', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.startLasting();
  });
  afterAll(() => slapd.end());

  const under = (uid: string, policy: string) =>
    slapd.modify(personDn(uid), { pwdPolicySubentry: [`cn=${policy},${POLICIES}`] });
  const stateOf = async (uid: string) => {
    const directory = directoryOf(slapd);
    const [entry] = await directory.search(personDn(uid), {
      scope: 'base',
      filter: directory.settings.people.filter,
      attributes: directory.settings.people.attributes,
    });
    const person = entry && (await directory.person(entry));
    return person && 'state' in person ? person.state : undefined;
  };

  test('an account is locked after three wrong passwords, whatever comes then', async () => {
    const directory = directoryOf(slapd);
    const dn = personDn('tybalt');
    for (const password of ['one', 'two', 'three']) {
      expect((await directory.bindAs(dn, password)).kind).toBe('wrong');
    }
    // OpenLDAP compares two clocks: in the first milliseconds of a second, a lock of this second may be to come
    await vi.waitFor(async () =>
      expect(await directory.bindAs(dn, 'pw-tybalt')).toMatchObject({ kind: 'locked', proved: false }),
    );
    expect(await stateOf('tybalt')).toEqual({ kind: 'locked' });
    await slapd.modify(dn, { pwdAccountLockedTime: ['000001010000Z'] });
    expect(await stateOf('tybalt')).toEqual({ kind: 'disabled' });
    await slapd.modify(dn, { pwdAccountLockedTime: [] });
    expect((await directory.bindAs(dn, 'pw-tybalt')).kind).toBe('accepted');
    expect(await stateOf('tybalt')).toEqual({ kind: 'active' });
  });

  test('a password that was reset has to be changed', async () => {
    await under('romeo', 'must-change');
    await slapd.modify(personDn('romeo'), { pwdReset: ['TRUE'] });
    const directory = directoryOf(slapd);
    expect(await directory.bindAs(personDn('romeo'), 'pw-romeo')).toMatchObject({ kind: 'must-change', proved: true });
    expect((await directory.bindAs(personDn('romeo'), 'wrong')).kind).toBe('wrong');
    expect(await stateOf('romeo')).toEqual({ kind: 'must-change' });
    await directory.changePassword(personDn('romeo'), { old: 'pw-romeo', new: 'my own' });
    expect((await directory.bindAs(personDn('romeo'), 'my own')).kind).toBe('accepted');
    expect(await stateOf('romeo')).toEqual({ kind: 'active' });
  });

  test('a password that is about to expire, has grace logins, and has expired', async () => {
    await slapd.change(
      ['juliet', 'nurse']
        .map(
          (uid) =>
            `dn: ${personDn(uid)}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n-\n`,
        )
        .join('\n'),
      true,
    );
    await under('juliet', 'expiring');
    await under('nurse', 'expired');
    await under('mercutio', 'warning');
    await slapd.modify(personDn('mercutio'), { userPassword: ['pw-mercutio'] });
    const directory = directoryOf(slapd);
    const soon = await directory.bindAs(personDn('mercutio'), 'pw-mercutio');
    expect(soon.code).toBe(0);
    expect((await stateOf('mercutio'))?.kind).toBe('active');
    expect(await stateOf('mercutio')).toHaveProperty('expiresAt');
    expect(await directory.bindAs(personDn('juliet'), 'pw-juliet')).toMatchObject({
      kind: 'grace',
      policy: { graceLeft: 1 },
    });
    expect((await directory.bindAs(personDn('juliet'), 'wrong')).kind).toBe('wrong');
    expect(await directory.bindAs(personDn('juliet'), 'pw-juliet')).toMatchObject({ policy: { graceLeft: 0 } });
    expect(await directory.bindAs(personDn('juliet'), 'pw-juliet')).toMatchObject({ kind: 'expired', proved: true });
    expect(await directory.bindAs(personDn('nurse'), 'pw-nurse')).toMatchObject({ kind: 'expired', proved: true });
    expect(await directory.bindAs(personDn('nurse'), 'wrong')).toMatchObject({ kind: 'wrong', proved: false });
    expect(await stateOf('nurse')).toEqual({ kind: 'expired' });
  });
});
