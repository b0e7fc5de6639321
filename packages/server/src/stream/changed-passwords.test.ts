import { Jid } from '@parley/xmpp/jid';
import { expect, test } from 'vitest';
import { ChangedPasswords } from './changed-passwords.ts';

const [juliet, romeo] = [Jid.parse('juliet@localhost'), Jid.parse('romeo@localhost')];

test('a login that began before a password was changed is known by that, and a later one is not', () => {
  const passwords = new ChangedPasswords();
  passwords.add(juliet, 1000);
  expect([999, 1000, 1001].map((begun) => passwords.isChangedSince(juliet, begun))).toEqual([true, true, false]);
  expect(passwords.isChangedSince(romeo, 0)).toBe(false);
  passwords.add(juliet, 2000);
  expect(passwords.isChangedSince(juliet, 1500)).toBe(true);
});

test('what no login can be from before any more is forgotten', () => {
  const passwords = new ChangedPasswords();
  for (let i = 0; i < 100; i++) passwords.add(Jid.parse(`user${i}@localhost`), i);
  passwords.add(Jid.parse('user0@localhost'), 100);
  expect(passwords.size).toBe(100);
  passwords.add(juliet, 180_100);
  expect(passwords.size).toBe(1);
});
