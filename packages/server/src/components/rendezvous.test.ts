import { expect, it } from 'vitest';
import { choose } from './rendezvous.ts';

const INSTANCES = ['a1', 'b2', 'c3', 'd4'].map((id) => ({ id: id.repeat(8) }));
const KEYS = Array.from({ length: 2000 }, (_, n) => `user${n}@example.org`);

it('shares keys about equally, in whatever order the instances are', () => {
  const counts = new Map<string, number>();
  for (const key of KEYS) {
    const id = choose(INSTANCES, key)?.id as string;
    expect(choose(INSTANCES.toReversed(), key)?.id).toBe(id);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id } of INSTANCES) expect(Math.abs((counts.get(id) ?? 0) - 500)).toBeLessThan(100);
});

it('gives others only the keys of whoever is gone', () => {
  const [gone, ...rest] = INSTANCES;
  for (const key of KEYS) {
    const before = choose(INSTANCES, key);
    if (before !== gone) expect(choose(rest, key)).toBe(before);
  }
});

it('knows nobody where there is nobody', () => {
  expect(choose([], 'a')).toBeUndefined();
});
