import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence } from '@parley/xmpp/stanza';
import { expect, test } from 'vitest';
import { allows, isOfServer } from './0493-account-scopes.ts';

const session = { account: Jid.parse('juliet@localhost') };
const jid = (text: string | undefined) => (text === undefined ? {} : { to: Jid.parse(text) });
const both = ['read', 'write'] as const;

test.each([undefined, 'juliet@localhost', 'localhost'])('what goes to %s is as the scopes are', (to) => {
  const request = (type: string) => iq({ ...jid(to), type, id: 'x' });
  expect(['get', 'set'].map((type) => allows(['read'], request(type), session))).toEqual([true, false]);
  expect(['get', 'set'].map((type) => allows(['write'], request(type), session))).toEqual([false, true]);
  for (const type of ['result', 'error']) expect(allows(['read'], request(type), session)).toBe(true);
  for (const other of [message(jid(to)), presence(jid(to))]) expect(allows(both, other, session)).toBe(false);
});

test.each(['juliet@localhost/desk', 'romeo@localhost', 'localhost/x', 'chat.localhost', 'elsewhere.org'])(
  'nothing goes to %s',
  (to) => {
    for (const type of ['get', 'set', 'result', 'error']) {
      expect(allows(both, iq({ ...jid(to), type, id: 'x' }), session)).toBe(false);
    }
  },
);

test('what comes is of the account, of its server, or an error', () => {
  const from = (text: string) => ({ from: Jid.parse(text), id: 'x' });
  expect(isOfServer(iq({ type: 'result', id: 'x' }), session)).toBe(true);
  for (const own of ['juliet@localhost', 'localhost']) {
    expect(isOfServer(iq({ ...from(own), type: 'set' }), session)).toBe(true);
    expect(isOfServer(message(from(own)), session)).toBe(false);
    expect(isOfServer(presence(from(own)), session)).toBe(false);
  }
  for (const other of ['juliet@localhost/desk', 'romeo@localhost', 'romeo@localhost/orchard', 'elsewhere.org']) {
    expect(isOfServer(iq({ ...from(other), type: 'get' }), session)).toBe(false);
    expect(isOfServer(message({ ...from(other), type: 'error' }), session)).toBe(true);
  }
});
