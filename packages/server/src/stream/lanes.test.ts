import { expect, it } from 'vitest';
import { Lanes } from './lanes.ts';

it('keeps the order of each lane, and none waits for another', async () => {
  const lanes = new Lanes();
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  lanes.run(
    () => 'a',
    async () => {
      await first.promise;
      done.push('a1');
    },
  );
  lanes.run(
    () => 'a',
    () => void done.push('a2'),
  );
  lanes.run(
    () => 'a',
    async () => void done.push('a3'),
  );
  lanes.run(
    () => 'b',
    () => void done.push('b1'),
  );
  expect([done, lanes.count]).toEqual([['b1'], 3]);
  first.resolve();
  await lanes.below(1);
  expect([done, lanes.count]).toEqual([['b1', 'a1', 'a2', 'a3'], 0]);
});

it('goes on behind what failed', async () => {
  const lanes = new Lanes();
  const done: string[] = [];
  lanes.run(
    () => 'a',
    () => Promise.reject(new Error('no')),
  );
  lanes.run(
    () => 'a',
    () => {
      throw new Error('no');
    },
  );
  lanes.run(
    () => 'a',
    () => void done.push('last'),
  );
  await lanes.below(1);
  expect(done).toEqual(['last']);
  lanes.run(
    () => 'a',
    () => void done.push('at once'),
  );
  expect(done).toEqual(['last', 'at once']);
});
