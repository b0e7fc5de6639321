import { expect, it } from 'vitest';
import { flushAtEndOfTurn } from './flush.ts';

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
