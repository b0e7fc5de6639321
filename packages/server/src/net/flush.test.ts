import { expect, it } from 'vitest';
import { flushAtEndOfTurn, turnTime } from './flush.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

it('flushes all that asked for it once the turn is over, each as often as it asked, in order', async () => {
  const flushed: string[] = [];
  const target = (name: string, then?: () => void) => ({
    flush() {
      flushed.push(name);
      then?.();
    },
  });
  const late = target('late');
  flushAtEndOfTurn(target('a', () => flushAtEndOfTurn(late)));
  flushAtEndOfTurn(target('b'));
  await Promise.resolve();
  expect(flushed).toEqual([]);
  await nextTurn();
  expect(flushed).toEqual(['a', 'b']);
  await nextTurn();
  expect(flushed).toEqual(['a', 'b', 'late']);
});

it('reads the time once in a turn in which something is written', async () => {
  const spent = () => {
    const from = performance.now();
    while (performance.now() === from);
  };
  const before = turnTime();
  spent();
  expect(turnTime()).toBeGreaterThan(before);
  flushAtEndOfTurn({ flush() {} });
  const [first] = [turnTime(), spent()];
  expect(turnTime()).toBe(first);
  await nextTurn();
  flushAtEndOfTurn({ flush() {} });
  expect(turnTime()).toBeGreaterThan(first);
  await nextTurn();
});
