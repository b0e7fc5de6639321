import { beforeEach, expect, it } from 'vitest';
import { Vigil } from './vigil.ts';

const GAP = 3000;
let vigil: Vigil;
beforeEach(() => {
  vigil = new Vigil();
});

/** Our own beats are answered once a second, at each of which the members' beats are heard. */
function steadily(from: number, to: number, ...members: [id: string, beat: string][]): void {
  for (let now = from; now <= to; now += 1000) {
    vigil.answered(now, GAP);
    for (const [id, beat] of members) vigil.hear(id, beat, now, 400);
  }
}

it('counts from the latest beat, as old as it was when it was heard', () => {
  steadily(0, 10_000, ['a', '1']);
  vigil.hear('a', '2', 10_000, 400);
  steadily(11_000, 14_000, ['a', '2']);
  expect(vigil.silence('a', 14_000, GAP)).toBe(4400);
  expect(vigil.beatOf('a')).toBe('2');
  vigil.forget('a');
  expect([vigil.silence('a', 14_000, GAP), vigil.beatOf('a')]).toEqual([0, undefined]);
});

it('counts nothing from before its own first answer', () => {
  steadily(5000, 7000, ['a', '1']);
  expect(vigil.silence('a', 7000, GAP)).toBe(2000);
  expect(vigil.isCurrent('a')).toBe(true);
});

it('has heard nobody where its own beats are not answered, and begins anew with the next', () => {
  steadily(0, 10_000, ['a', '1'], ['b', '1']);
  expect(vigil.silence('a', 13_001, GAP)).toBe(0);
  steadily(20_000, 24_000, ['a', '1'], ['b', '2']);
  vigil.hear('b', '3', 24_000, 0);
  expect(vigil.silence('a', 24_000, GAP)).toBe(4000);
  expect([vigil.isCurrent('a'), vigil.isCurrent('b')]).toEqual([false, true]);
});

it('begins anew where it was cut off, however short that was', () => {
  steadily(0, 10_000, ['a', '1'], ['b', '1']);
  vigil.interrupt();
  expect(vigil.silence('a', 10_001, GAP)).toBe(0);
  steadily(11_000, 13_000, ['a', '1'], ['b', '2']);
  expect(vigil.silence('a', 13_000, GAP)).toBe(2000);
  // that beat may be one from before
  expect([vigil.isCurrent('a'), vigil.isCurrent('b')]).toEqual([false, false]);
});
