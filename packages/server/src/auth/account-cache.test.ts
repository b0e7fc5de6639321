import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, test } from 'vitest';
import { AccountCache } from './account-cache.ts';
import type { AccountRecord } from './account-store.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const record: AccountRecord = { created: 1, disabled: false, verifiers: new Map(), mark: undefined };

let stored: AccountRecord | undefined;
let loads: number;
let now: number;
let cache: AccountCache;
let hold: Promise<void> | undefined;

beforeEach(() => {
  stored = record;
  loads = 0;
  now = 0;
  hold = undefined;
  const load = async () => {
    loads++;
    const found = stored;
    await hold;
    return found;
  };
  cache = new AccountCache(load, { mostEntries: 3, now: () => now });
});

test('what was read is known at once', async () => {
  const first = cache.get(juliet);
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toBe(record);
  expect(cache.get(juliet)).toBe(record);
  expect(loads).toBe(1);
});

test('that there is no such account is known, too', async () => {
  stored = undefined;
  expect(await cache.get(juliet)).toBeUndefined();
  expect(cache.get(juliet)).toBeUndefined();
  expect(cache.get(juliet)).not.toBeInstanceOf(Promise);
  expect(loads).toBe(1);
});

test('many who ask at the same time are one question', async () => {
  expect(await Promise.all([cache.get(juliet), cache.get(juliet), cache.get(juliet)])).toEqual([
    record,
    record,
    record,
  ]);
  expect(loads).toBe(1);
});

test('it is asked for again after a while', async () => {
  await cache.get(juliet);
  now = 59_999;
  expect(cache.get(juliet)).toBe(record);
  now = 60_000;
  stored = undefined;
  expect(await cache.get(juliet)).toBeUndefined();
});

test('what was forgotten is asked for again', async () => {
  await cache.get(juliet);
  stored = undefined;
  cache.forget(juliet);
  expect(await cache.get(juliet)).toBeUndefined();
  cache.clear();
  stored = record;
  expect(await cache.get(juliet)).toBe(record);
});

test('what was read before a change is not kept after it', async () => {
  const gate = Promise.withResolvers<void>();
  hold = gate.promise;
  const old = cache.get(juliet);
  stored = undefined;
  cache.forget(juliet);
  hold = undefined;
  const fresh = cache.get(juliet);
  gate.resolve();
  expect(await old).toBe(record);
  expect(await fresh).toBeUndefined();
  expect(cache.get(juliet)).toBeUndefined();
});

test('a failure is not kept', async () => {
  let fail = true;
  const flaky = new AccountCache(async () => {
    if (fail) throw new Error('away');
    return record;
  });
  await expect(flaky.get(juliet)).rejects.toThrow('away');
  fail = false;
  expect(await flaky.get(juliet)).toBe(record);
});

test('holds only so many', async () => {
  for (let i = 0; i < 20; i++) await cache.get(Jid.parse(`user${i}@capulet.lit`));
  expect(cache.size).toBe(3);
  expect(cache.get(Jid.parse('user19@capulet.lit'))).toBe(record);
  expect(cache.get(Jid.parse('user0@capulet.lit'))).toBeInstanceOf(Promise);
});
