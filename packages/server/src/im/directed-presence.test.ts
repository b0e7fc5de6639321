import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { DirectedPresence } from './directed-presence.ts';

it('remembers each address once, up to a number', () => {
  const directed = new DirectedPresence();
  const [a, b, c] = ['a@x', 'a@x/1', 'c@x'].map(Jid.parse) as [Jid, Jid, Jid];
  expect([a, b, a, c, b].map((jid) => directed.add(jid, 2))).toEqual([true, true, true, false, true]);
  expect([...directed]).toEqual([a, b]);
  directed.delete(Jid.parse('a@x'));
  directed.delete(Jid.parse('unknown@x'));
  expect([...directed]).toEqual([b]);
  expect(directed.add(c, 2)).toBe(true);
});

it('knows whom it reaches, whatever the resource', () => {
  const directed = new DirectedPresence();
  directed.add(Jid.parse('coven@chat.lit/witch'), 2);
  directed.add(Jid.parse('b@x'), 2);
  const reached = ['coven@chat.lit/other', 'coven@chat.lit', 'b@x/1', 'chat.lit', 'c@x'];
  expect(reached.map((jid) => directed.reaches(Jid.parse(jid)))).toEqual([true, true, true, false, false]);
});
