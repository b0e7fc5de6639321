import { Jid } from '@parley/xmpp/jid';
import { presence } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { HeldStanzas } from './held-stanzas.ts';

const from = (resource: string, id: string) => presence({ from: Jid.parse(`romeo@montague.net/${resource}`), id });
const LIMITS = { maxStanzas: 3, maxBytes: 1000 };

it('has the last of each key, in the order in which they came', () => {
  const held = new HeldStanzas();
  held.add('a', from('a', '1'), LIMITS);
  held.add('b', from('b', '2'), LIMITS);
  held.add('a', from('a', '3'), LIMITS);
  const stanzas = held.take();
  expect(stanzas.map(({ id }) => id)).toEqual(['2', '3']);
  expect(stanzas[0]?.toString()).toBe(from('b', '2').toString());
  expect(held.take()).toEqual([]);
});

it('takes no more than there is room for', () => {
  const held = new HeldStanzas();
  for (const key of ['a', 'b', 'c']) expect(held.add(key, from(key, '1'), LIMITS)).toBe(true);
  expect(held.add('d', from('d', '1'), LIMITS)).toBe(false);
  expect(held.add('c', from('c', '2'), LIMITS)).toBe(true);
  expect(held.add('c', from('c', 'x'.repeat(1000)), LIMITS)).toBe(false);
  expect(held.take().map(({ id }) => id)).toEqual(['1', '1', '2']);
  expect(held.add('d', from('d', 'x'.repeat(900)), LIMITS)).toBe(true);
});
