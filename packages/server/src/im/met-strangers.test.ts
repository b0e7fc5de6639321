import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { MetStrangers } from './met-strangers.ts';

const romeo = Jid.parse('romeo@montague.lit/orchard');
const other = (index: number) => Jid.parse(`u${index}@capulet.lit/${index}`);
const HOUR = 3_600_000;

it('counts an address once, whatever its resource', () => {
  const met = new MetStrangers();
  expect([1, 1, 2].map((index) => met.meet(romeo, other(index), 2, 0))).toEqual([true, true, true]);
  expect(met.meet(romeo.bare, Jid.parse('u1@capulet.lit/other'), 2, 0)).toBe(true);
  expect(met.meet(romeo, other(3), 2, 0)).toBe(false);
  expect(met.meet(romeo, other(2), 2, 0)).toBe(true);
  expect(met.size).toBe(2);
});

it('counts for each account', () => {
  const met = new MetStrangers();
  expect(met.meet(romeo, other(1), 1, 0)).toBe(true);
  expect(met.meet(Jid.parse('mercutio@montague.lit'), other(2), 1, 0)).toBe(true);
});

it('begins anew after an hour', () => {
  const met = new MetStrangers();
  met.meet(romeo, other(1), 1, 1000);
  expect(met.meet(romeo, other(2), 1, 1000 + HOUR - 1)).toBe(false);
  expect(met.meet(romeo, other(2), 1, 1000 + HOUR)).toBe(true);
  expect(met.size).toBe(1);
});

it('forgets hours that are over, and the oldest where there are too many addresses', () => {
  const met = new MetStrangers(10);
  const account = (index: number) => Jid.parse(`a${index}@montague.lit`);
  for (let index = 0; index < 1000; index++) {
    for (let stranger = 0; stranger < 3; stranger++) met.meet(account(index), other(stranger), 5, index);
    expect(met.size).toBeLessThanOrEqual(10);
  }
  // the last one is remembered, the first one is not
  expect(met.meet(account(999), other(7), 3, 1000)).toBe(false);
  expect(met.meet(account(0), other(7), 1, 1000)).toBe(true);
  met.meet(romeo, other(1), 1, 2 * HOUR);
  expect(met.size).toBe(1);
});
