import { expect, it } from 'vitest';
import { Waits } from './waits.ts';

it('has nothing to wait for where everything was done at once', () => {
  const waits = new Waits();
  waits.add(undefined);
  expect(waits.all).toBeUndefined();
  expect(waits.taken).toBe(true);
});

it('waits for all', async () => {
  const waits = new Waits();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let done = false;
  waits.add(first.promise);
  waits.add(undefined);
  waits.add(second.promise);
  const all = Promise.resolve(waits.all).then(() => {
    done = true;
  });
  second.resolve();
  await second.promise;
  expect(done).toBe(false);
  first.resolve();
  await all;
  expect(done).toBe(true);
  expect(await waits.taken).toBe(true);
});
