import { expect, it } from 'vitest';
import { Blocklist } from './blocklist.ts';
import { BlocklistCache } from './blocklist-cache.ts';

it('remembers empty lists as well', () => {
  const cache = new BlocklistCache(10_000);
  const list = new Blocklist(['romeo@montague.net']);
  cache.set('juliet@capulet.lit', list);
  cache.set('nurse@capulet.lit', Blocklist.EMPTY);
  expect(cache.get('juliet@capulet.lit')).toBe(list);
  expect(cache.get('nurse@capulet.lit')).toBe(Blocklist.EMPTY);
  expect(cache.get('tybalt@capulet.lit')).toBeUndefined();
  cache.delete('juliet@capulet.lit');
  expect(cache.get('juliet@capulet.lit')).toBeUndefined();
});

it('forgets what nobody asked for, and keeps what is asked for again', () => {
  const cache = new BlocklistCache(10_000);
  cache.set('dear', Blocklist.EMPTY);
  for (let i = 0; i < 1000; i++) {
    cache.set(`user${i}`, Blocklist.EMPTY);
    expect(cache.get('dear')).toBe(Blocklist.EMPTY);
  }
  expect(cache.get('user1')).toBeUndefined();
  expect(cache.size).toBeLessThan(100);
});

it('weighs lists, so that few large ones take the place of many', () => {
  const cache = new BlocklistCache(100_000);
  const large = new Blocklist(Array.from({ length: 100 }, (_, i) => `${i}@${'x'.repeat(100)}`));
  for (let i = 0; i < 100; i++) cache.set(`user${i}`, large);
  expect(cache.size).toBeLessThan(10);
  for (let i = 0; i < 100; i++) cache.set('the same', large);
  expect(cache.get('the same')).toBe(large);
});
