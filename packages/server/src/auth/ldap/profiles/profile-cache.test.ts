import { expect, test } from 'vitest';
import type { Profile } from '../../profiles.ts';
import { ProfileCache } from './profile-cache.ts';

const profile = (bytes: number): Profile => ({
  values: new Map([['fullName', ['x']]]),
  photo: { type: 'image/jpeg', bytes: Buffer.alloc(bytes), hash: '' },
  fields: new Set(),
  writable: new Set(),
});

test('what is believed is no older than it may be', () => {
  let now = 0;
  const cache = new ProfileCache({ maxBytes: 10_000, maxAgeMs: 100, now: () => now });
  cache.set('a@x', profile(1));
  cache.set('b@x', undefined);
  now = 99;
  expect([cache.get('a@x').known, cache.get('b@x'), cache.get('c@x')]).toEqual([
    true,
    { known: true, profile: undefined },
    { known: false },
  ]);
  now = 100;
  expect(cache.get('a@x')).toEqual({ known: false });
});

test('it takes no more memory than it may, and lets go of what was asked for longest ago', () => {
  const cache = new ProfileCache({ maxBytes: 10_000, maxAgeMs: 100, now: () => 0 });
  for (let i = 0; i < 1000; i++) {
    cache.set(`${i}@x`, profile(2000));
    cache.get('0@x');
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
  }
  expect([cache.get('0@x').known, cache.get('1@x').known, cache.get('999@x').known]).toEqual([true, false, true]);
  cache.set('large@x', profile(20_000));
  expect(cache.get('large@x').known).toBe(false);
  for (const name of ['0@x', '998@x', '999@x', '997@x']) cache.delete(name);
  expect(cache.bytes).toBe(0);
});
