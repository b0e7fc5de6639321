import { expect, test } from 'vitest';
import { accountsIn } from './trial.ts';

test('two accounts are two lines, with an address and a password each', () => {
  const [alice, bob] = accountsIn('alice@example.org a pass word \r\nbob@Example.ORG x\n\n');
  expect([alice.jid.toString(), alice.password]).toEqual(['alice@example.org', 'a pass word ']);
  expect([bob.jid.toString(), bob.password]).toEqual(['bob@example.org', 'x']);
});

test.each([
  ['one', 'alice@example.org a\n', 'are two, one a line, and there are 1'],
  ['three', 'a@b c\n'.repeat(3), 'are two, one a line, and there are 3'],
  ['one without a password', 'alice@example.org\nbob@example.org b\n', 'is an address and a password'],
  ['a domain', 'example.org a\nbob@example.org b\n', 'is an address and a password'],
  ['a session', 'alice@example.org/home a\nbob@example.org b\n', 'is an address and a password'],
  ['no address', '@ a\nbob@example.org b\n', 'is an address and a password'],
])('%s in place of two is refused, in words that repeat no password', (_, text, message) => {
  expect(() => accountsIn(text)).toThrow(message);
});
