import { expect, it } from 'vitest';
import { comparableDn } from './dn.ts';

it.each([
  ['uid=juliet,ou=people,dc=example,dc=org', 'UID = Juliet , OU=People,dc=example;DC=org'],
  ['cn=capulet\\, juliet,dc=org', 'cn=Capulet\\2C Juliet,dc=org'],
  ['cn=l\\+m,dc=org', 'cn=L\\2bM,dc=org'],
  ['cn=müller,dc=org', 'CN=M\\C3\\BCller,DC=org'],
  ['cn=müller,dc=org', 'cn=Mu\u0308ller,dc=org'],
  ['cn=a b,dc=org', 'cn=A   B  ,dc=org'],
  ['cn=a+uid=b,dc=org', 'uid=B+cn=A,dc=org'],
  ['cn=#1,dc=org', 'cn=\\#1,dc=org'],
  ['cn=a\\\\b', 'cn=a\\\\b'],
  ['cn=🦆', 'CN=🦆'],
  ['cn=', 'cn='],
  ['', ''],
])('%s is the same as %s', (one, other) => {
  expect(comparableDn(other)).toBe(one);
  expect(comparableDn(one)).toBe(one);
});

it.each([
  ['cn=a,dc=org', 'cn=a\\,dc=org'],
  ['cn=a b', 'cn=ab'],
  ['cn=a,dc=org', 'dc=org,cn=a'],
])('%s is not the same as %s', (one, other) => expect(comparableDn(one)).not.toBe(comparableDn(other)));

it.each(['no name', 'cn=a,b', 'cn=a,\\', 'cn=\\', 'cn=\\zz'])('bears what is no name: %s', (text) => {
  expect(typeof comparableDn(text)).toBe('string');
});
