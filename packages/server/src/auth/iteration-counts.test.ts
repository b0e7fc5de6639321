import { randomBytes } from 'node:crypto';
import { Jid } from '@parley/xmpp/jid';
import { falseScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { expect, it } from 'vitest';
import { IterationCounts } from './iteration-counts.ts';

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
  let current = 10_000;
  const counts = new IterationCounts(() => current, SECRET);
  current = 20_000;
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
