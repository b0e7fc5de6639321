import { expect, test } from 'vitest';
import { accountKey, partitionKey } from './key.ts';
import { declareKeys, renderKeys } from './key-declaration.ts';

const roster = declareKeys({
  name: 'roster',
  type: 'hash',
  content: 'contact → item',
  bound: 'roster.max_items',
  ttl: 'none',
});
const nodes = declareKeys({
  name: 'nodes',
  scope: 'global',
  type: 'sorted set',
  content: 'node → last | heartbeat',
  bound: '1023 nodes',
  ttl: 'none',
});
const index = declareKeys({
  name: 'index',
  scope: 'partition',
  parts: ['domain'],
  type: 'set',
  content: 'what is in it',
  bound: 'the accounts',
  ttl: 'none',
});
const journal = declareKeys({
  name: 'journal',
  parts: ['sid', 'epoch'],
  type: 'list',
  content: 'header, then entries',
  bound: '1000 entries',
  ttl: 'with the session',
});

test('declared keys make keys', () => {
  expect(roster.key('romeo@montague.lit')).toBe(accountKey('roster', 'romeo@montague.lit'));
  expect(journal.key('romeo@montague.lit', 'f0', '1')).toBe(accountKey('journal', 'romeo@montague.lit', 'f0', '1'));
  expect(index.key('17', 'montague.lit')).toBe(partitionKey('index', 17, 'montague.lit'));
  expect(nodes.key()).toBe('nodes:{global}');
});

test('a key with a part too few or too many is refused', () => {
  expect(() => roster.key()).toThrow('A roster key has 1 parts, not 0');
  expect(() => journal.key('romeo@montague.lit', 'f0')).toThrow('A journal key has 3 parts, not 2');
  expect(() => index.key('17')).toThrow('A index key has 2 parts, not 1');
  expect(() => index.key('1024', 'montague.lit')).toThrow(RangeError);
  expect(() => nodes.key('x')).toThrow(TypeError);
  expect(() => declareKeys({ ...roster, name: 'Ro:ster' })).toThrow(TypeError);
});

test('the table lists all of them in order', () => {
  expect(renderKeys([roster, nodes, index, journal])).toBe(
    [
      '| key | type | content | bound | expiry |',
      '| --- | --- | --- | --- | --- |',
      '| `index:{p}:<domain>` | set | what is in it | the accounts | none |',
      '| `journal:{p}:<bare JID>:<sid>:<epoch>` | list | header, then entries | 1000 entries | with the session |',
      '| `nodes:{global}` | sorted set | node → last \\| heartbeat | 1023 nodes | none |',
      '| `roster:{p}:<bare JID>` | hash | contact → item | roster.max_items | none |',
      '',
    ].join('\n'),
  );
});
