import { expect, it } from 'vitest';
import { Pending } from './pending.ts';

it('is idle when all that was begun is done, rightly or wrongly', async () => {
  const pending = new Pending();
  await pending.idle();
  const one = Promise.withResolvers<void>();
  const other = Promise.withResolvers<void>();
  pending.add(one.promise);
  pending.add(other.promise);
  let idle = 0;
  const waiting = [pending.idle(), pending.idle()].map((each) => each.then(() => idle++));
  one.resolve();
  await one.promise;
  expect([pending.count, idle]).toEqual([1, 0]);
  other.reject(new Error('it went wrong'));
  await Promise.all(waiting);
  expect([pending.count, idle]).toEqual([0, 2]);
});
