import { randomBytes } from 'node:crypto';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { falseScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { expect, it, onTestFinished, vi } from 'vitest';
import { IterationCounts } from './iteration-counts.ts';
import { KeptCounts } from './kept-counts.ts';

const SECRET = randomBytes(32);
const names = Array.from({ length: 400 }, (_, index) => Jid.parse(`nobody${index}@localhost`));
const verifier = (iterations: number) => falseScramVerifier(SECRET, 'juliet@localhost', 'SHA-256', iterations);

it('pretends what everybody has as long as that is the same', () => {
  const counts = new IterationCounts(() => 10_000, SECRET);
  counts.see(verifier(10_000));
  counts.see(undefined);
  expect(new Set(names.map((name) => counts.pretended(name)))).toEqual(new Set([10_000]));
});

it('pretends a former number for some, always for the same, once somebody has it', () => {
  const current = 20_000;
  const counts = new IterationCounts(() => current, SECRET);
  const before = names.map((name) => counts.pretended(name));
  expect(new Set(before)).toEqual(new Set([20_000]));
  counts.see(verifier(10_000));
  const pretended = names.map((name) => counts.pretended(name));
  const former = pretended.filter((count) => count === 10_000).length;
  expect(former).toBeGreaterThan(120);
  expect(former).toBeLessThan(280);
  expect(names.map((name) => counts.pretended(name))).toEqual(pretended);
  const others = new IterationCounts(() => current, SECRET);
  others.see(verifier(10_000));
  expect(names.map((name) => others.pretended(name))).toEqual(pretended); // on every node
  counts.see(verifier(15_000));
  const more = names.map((name) => counts.pretended(name));
  expect(more.every((count, index) => count === 15_000 || count === pretended[index])).toBe(true);
});

it('remembers a few of them', () => {
  const counts = new IterationCounts(() => 10_000, SECRET);
  for (let count = 20_000; count < 20_100; count++) counts.see(verifier(count));
  expect(new Set(names.map((name) => counts.pretended(name))).size).toBeLessThanOrEqual(9);
});

it('pretends the same on all nodes, and after a restart', async () => {
  await using keyspace = (await openKeyspace('embedded::memory:')).keyspace;
  const node = async () => {
    const counts = new IterationCounts(() => 20_000, SECRET, new KeptCounts(keyspace, 'server'));
    await keyspace.now(); // it has been read by then
    return counts;
  };
  const first = await node();
  first.see(verifier(10_000));
  const pretended = names.map((name) => first.pretended(name));
  expect(new Set(pretended).size).toBe(2);
  const second = await node();
  expect(names.map((name) => second.pretended(name))).toEqual(pretended);
  const of = new IterationCounts(() => 20_000, SECRET, new KeptCounts(keyspace, 'a directory'));
  await keyspace.now();
  expect(new Set(names.map((name) => of.pretended(name)))).toEqual(new Set([20_000]));
});

it('hears within a minute what another node has met, and asks again where the keyspace was away', async () => {
  await using keyspace = (await openKeyspace('embedded::memory:')).keyspace;
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const kept = new KeptCounts(keyspace, 'server');
  const all = vi.spyOn(kept, 'all');
  all.mockRejectedValueOnce(new Error('away'));
  const counts = new IterationCounts(() => 20_000, SECRET, kept);
  await kept.add(10_000); // the first attempt has failed by then
  const pretended = async () => {
    counts.pretended(names[0] as Jid);
    for (let i = 0; i < 3; i++) await keyspace.now();
    return new Set(names.map((name) => counts.pretended(name))).size;
  };
  expect(await pretended()).toBe(2);
  await kept.add(5_000);
  expect(await pretended()).toBe(2);
  vi.advanceTimersByTime(60_001);
  expect(await pretended()).toBe(3);
  expect(all).toHaveBeenCalledTimes(3);
});
