import { describe, expect, test } from 'vitest';
import { entryOf } from './entry.ts';
import { fileTime, generalizedTime } from './ldap-time.ts';
import { type PasswordPolicy, stateRules } from './person-state.ts';

const NOW = Date.UTC(2026, 10, 26, 12);
const DAY = 86_400_000;

const stamp = (at: number) => new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
const ticks = (at: number) => String((BigInt(at) + 11_644_473_600_000n) * 10_000n);

type Values = Record<string, string>;
const entry = (values: Values) =>
  entryOf(
    'cn=somebody',
    Object.entries(values).map(([name, value]) => [name, [value]]),
  );
const state = (type: keyof typeof stateRules, values: Values, policy?: PasswordPolicy) =>
  stateRules[type].read(entry(values), NOW, policy);

const policy = (maxAge?: number, lockoutDuration?: number): PasswordPolicy => ({ maxAge, lockoutDuration });

describe('by the rules of OpenLDAP', () => {
  test.each<[string, Values, PasswordPolicy | undefined, object]>([
    ['nothing is known', {}, undefined, { kind: 'active' }],
    ['locked for good', { pwdAccountLockedTime: '000001010000Z' }, undefined, { kind: 'disabled' }],
    ['locked', { pwdAccountLockedTime: stamp(NOW - DAY) }, undefined, { kind: 'locked' }],
    ['locked until unlocked', { pwdAccountLockedTime: stamp(NOW - DAY) }, policy(), { kind: 'locked' }],
    [
      'locked for a time',
      { pwdAccountLockedTime: stamp(NOW - 1000) },
      policy(undefined, DAY),
      { kind: 'locked', until: NOW - 1000 + DAY },
    ],
    ['locked once', { pwdAccountLockedTime: stamp(NOW - 2 * DAY) }, policy(undefined, DAY), { kind: 'active' }],
    ['reset', { pwdReset: 'TRUE' }, undefined, { kind: 'must-change' }],
    ['not reset', { pwdReset: 'FALSE' }, undefined, { kind: 'active' }],
    ['at its end', { pwdEndTime: stamp(NOW) }, undefined, { kind: 'disabled' }],
    ['before its end', { pwdEndTime: stamp(NOW + DAY) }, undefined, { kind: 'active', expiresAt: NOW + DAY }],
    ['before its beginning', { pwdStartTime: stamp(NOW + DAY) }, undefined, { kind: 'disabled', until: NOW + DAY }],
    ['too old', { pwdChangedTime: stamp(NOW - DAY) }, policy(DAY), { kind: 'expired' }],
    ['not too old', { pwdChangedTime: stamp(NOW) }, policy(DAY), { kind: 'active', expiresAt: NOW + DAY }],
    ['of any age', { pwdChangedTime: stamp(0) }, policy(), { kind: 'active' }],
  ])('%s', (_, values, under, expected) => {
    expect(state('openldap', values, under)).toEqual(expected);
  });
});

describe('by the rules of 389 DS', () => {
  test.each<[string, Values, object]>([
    ['nothing is known', {}, { kind: 'active' }],
    ['inactivated', { nsAccountLock: 'true' }, { kind: 'disabled' }],
    ['activated', { nsAccountLock: 'false' }, { kind: 'active' }],
    ['locked for a time', { accountUnlockTime: stamp(NOW + DAY) }, { kind: 'locked', until: NOW + DAY }],
    ['locked once', { accountUnlockTime: stamp(NOW - DAY) }, { kind: 'active' }],
    ['locked until unlocked', { accountUnlockTime: '19700101000000Z' }, { kind: 'locked' }],
    ['reset', { passwordExpirationTime: '19700101000000Z' }, { kind: 'must-change' }],
    ['expired', { passwordExpirationTime: stamp(NOW - 1000) }, { kind: 'expired' }],
    ['not expired', { passwordExpirationTime: stamp(NOW + 1000) }, { kind: 'active', expiresAt: NOW + 1000 }],
  ])('%s', (_, values, expected) => {
    expect(state('389ds', values)).toEqual(expected);
  });
});

describe('by the rules of FreeIPA', () => {
  test.each<[string, Values, object]>([
    ['disabled', { nsAccountLock: 'TRUE' }, { kind: 'disabled' }],
    ['at its end', { krbPrincipalExpiration: stamp(NOW - DAY) }, { kind: 'disabled' }],
    ['expired', { krbPasswordExpiration: stamp(NOW - DAY) }, { kind: 'expired' }],
    [
      'good for a time',
      { krbPasswordExpiration: stamp(NOW + 2 * DAY), krbPrincipalExpiration: stamp(NOW + DAY) },
      { kind: 'active', expiresAt: NOW + DAY },
    ],
  ])('%s', (_, values, expected) => {
    expect(state('freeipa', values)).toEqual(expected);
  });
});

describe('by the rules of Active Directory', () => {
  const NEVER = '9223372036854775807';
  test.each<[string, Values, object]>([
    [
      'normal',
      { userAccountControl: '512', accountExpires: NEVER, lockoutTime: '0', pwdLastSet: ticks(0) },
      { kind: 'active' },
    ],
    ['disabled', { userAccountControl: '514' }, { kind: 'disabled' }],
    ['the account at its end', { accountExpires: ticks(NOW) }, { kind: 'disabled' }],
    ['the account before its end', { accountExpires: ticks(NOW + DAY) }, { kind: 'active', expiresAt: NOW + DAY }],
    ['an account without end', { accountExpires: '0' }, { kind: 'active' }],
    ['locked', { lockoutTime: ticks(NOW - DAY) }, { kind: 'locked' }],
    ['locked once', { lockoutTime: ticks(NOW - DAY), 'msDS-User-Account-Control-Computed': '0' }, { kind: 'active' }],
    ['locked, computed', { 'msDS-User-Account-Control-Computed': '16' }, { kind: 'locked' }],
    ['expired, computed', { 'msDS-User-Account-Control-Computed': '8388608' }, { kind: 'expired' }],
    ['reset', { pwdLastSet: '0', 'msDS-UserPasswordExpiryTimeComputed': '0' }, { kind: 'must-change' }],
    ['reset, but for ever', { pwdLastSet: '0', userAccountControl: '66048' }, { kind: 'active' }],
    ['expired', { 'msDS-UserPasswordExpiryTimeComputed': ticks(NOW - 1000) }, { kind: 'expired' }],
    [
      'good for a time',
      { 'msDS-UserPasswordExpiryTimeComputed': ticks(NOW + 1000) },
      { kind: 'active', expiresAt: NOW + 1000 },
    ],
    ['good for ever', { 'msDS-UserPasswordExpiryTimeComputed': NEVER }, { kind: 'active' }],
  ])('%s', (_, values, expected) => {
    expect(state('activeDirectory', values)).toEqual(expected);
  });
});

test('by nobody’s rules everybody may log in', () => {
  expect(state('none', { nsAccountLock: 'TRUE', userAccountControl: '514' })).toEqual({ kind: 'active' });
});

test.each([
  ['20261126114600Z', Date.UTC(2026, 10, 26, 11, 46)],
  ['20261126114600.5Z', Date.UTC(2026, 10, 26, 11, 46, 0, 500)],
  ['202611261146Z', Date.UTC(2026, 10, 26, 11, 46)],
  ['2026112611.5Z', Date.UTC(2026, 10, 26, 11, 30)],
  ['20261126134600+0200', Date.UTC(2026, 10, 26, 11, 46)],
  ['20261126064600-05', Date.UTC(2026, 10, 26, 11, 46)],
  ['20261126', undefined],
  ['20261126114600', undefined],
  ['', undefined],
  [undefined, undefined],
])('the generalized time %j', (text, expected) => {
  expect(generalizedTime(text)).toBe(expected);
});

test.each([
  ['0', 0],
  ['116444736000000000', 0],
  ['133000000000000000', Date.UTC(2022, 5, 18, 4, 26, 40)],
  ['9223372036854775807', 'never'],
  ['-1', 'never'],
  ['soon', undefined],
  [undefined, undefined],
])('the FILETIME %j', (text, expected) => {
  expect(fileTime(text)).toBe(expected);
});
