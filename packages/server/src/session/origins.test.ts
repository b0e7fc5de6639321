import type { Origin } from '@parley/xmpp/stanza';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Origins, STORED, UNORDERED } from './origins.ts';
import { decodeHeader, encodeHeader } from './resumption/journal-header.ts';
import { RETURNED } from './returned.ts';

const of = (sid: string, k: number, effect = 0): Origin => ({ sid, k, effect });

it('takes what is ahead of all that came from the same sender, over the end of 32 bits', () => {
  const origins = new Origins();
  const took = [1, 1, 2, 5, 4, 5, 6].map((k) => origins.add(of('a', k)));
  expect(took).toEqual([true, false, true, true, false, false, true]);
  expect([0xfffffffe, 0xffffffff, 0, 0, 0xffffffff, 1].map((k) => origins.add(of('b', k)))).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
  ]);
});

it('tells senders, and what their stanzas bring about, apart', () => {
  const origins = new Origins();
  expect([of('a', 5), of('b', 5), of('a', 5, 1), of('a', 5), of('a', 5, 1)].map((each) => origins.add(each))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect([...origins.entries()]).toEqual([
    ['a.0', 5],
    ['b.0', 5],
    ['a.1', 5],
  ]);
});

it('goes on from what was known', () => {
  const origins = new Origins([
    ['a.0', 7],
    ['b.0', 3],
  ]);
  expect([of('a', 7), of('a', 8), of('b', 4), of('c', 1)].map((each) => origins.add(each))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});

it('remembers only so many senders, those of late', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(150), { maxLength: 400 }), (senders) => {
      const origins = new Origins();
      for (const [k, sender] of senders.entries()) origins.add(of(String(sender), k));
      const latest = [...new Set(senders.toReversed())].slice(0, 64).reverse();
      expect([...origins.entries().keys()]).toEqual(latest.map((sender) => `${sender}.0`));
    }),
    { numRuns: 50 },
  );
});

it('what was stored may come after later ones, but what its sender sends again comes after it', () => {
  const origins = new Origins();
  expect(
    [of('a', 7), of('a', 5, STORED), of('a', 5, STORED), of('a', 6, STORED)].map((each) => origins.add(each)),
  ).toEqual([true, true, false, true]);
  origins.add(of('b', 5, STORED));
  expect([of('b', 4), of('b', 5), of('b', 5, 1), of('b', 6)].map((each) => origins.has(each))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it('knows again exactly what a node has numbered, in whatever order it comes', () => {
  const origins = new Origins();
  const node = (k: number) => of('n', k, UNORDERED);
  expect([5, 3, 5, 4, 3].map((k) => origins.add(node(k)))).toEqual([true, true, false, true, false]);
  origins.add(of('n', 100, STORED));
  expect(origins.has(node(6))).toBe(false);
  expect([...origins.entries()]).toEqual([['n.2', 100]]);
  for (let k = 10; k < 30; k++) origins.add(node(k));
  expect([origins.has(node(29)), origins.has(node(14)), origins.has(node(5))]).toEqual([true, true, false]);
});

it('what was returned is known to those who come after this process, the last of it', () => {
  const sids = ['a', 'b'].map((letter) => letter.repeat(16)) as [string, string];
  const before = new Origins();
  before.add(of(sids[0], 7));
  for (let k = 30; k > 0; k--) before.add(of(sids[k % 2] as string, k, RETURNED));
  const header = decodeHeader(encodeHeader({ handled: 0, origins: before.entries() }));
  const after = new Origins(header.origins);
  expect(after.has(of(sids[0], 7))).toBe(true);
  const known = Array.from({ length: 31 }, (_, k) => k).filter((k) =>
    after.has(of(sids[k % 2] as string, k, RETURNED)),
  );
  expect(known).toEqual(Array.from({ length: 16 }, (_, place) => place + 1));
  expect([...after.entries()]).toEqual([...before.entries()]);
});
