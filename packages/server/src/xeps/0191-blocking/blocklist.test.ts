import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { Blocklist } from './blocklist.ts';

// what is on the list | who is blocked by it | who is not
it.each([
  ['romeo@montague.net/orchard', 'romeo@montague.net/orchard', 'romeo@montague.net/hall'],
  ['romeo@montague.net/orchard', 'romeo@montague.net/orchard', 'romeo@montague.net'],
  ['romeo@montague.net', 'romeo@montague.net/orchard', 'benvolio@montague.net/orchard'],
  ['romeo@montague.net', 'romeo@montague.net', 'montague.net'],
  ['montague.net/gate', 'montague.net/gate', 'montague.net'],
  ['montague.net/gate', 'montague.net/gate', 'romeo@montague.net/gate'],
  ['montague.net', 'montague.net', 'verona.montague.net'],
  ['montague.net', 'montague.net/gate', 'capulet.net/gate'],
  ['montague.net', 'romeo@montague.net/orchard', 'montague.net@capulet.net'],
])('%s blocks %s, not %s', (item, blocked, free) => {
  const list = new Blocklist(['somebody@else.net', item]);
  expect(list.blocks(Jid.parse(blocked))).toBe(true);
  expect(list.blocks(Jid.parse(free))).toBe(false);
  expect(Blocklist.EMPTY.blocks(Jid.parse(blocked))).toBe(false);
});
