import { expect, test } from 'vitest';
import { FewAtATime } from './few-at-a-time.ts';

/** Work that ends when it is told to. */
function work() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let started = false;
  const run = () => {
    started = true;
    return promise;
  };
  return { run, resolve, reject, started: () => started };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a few run at a time, the others in their order', async () => {
  const queue = new FewAtATime({ most: () => 2 });
  const works = [work(), work(), work(), work()];
  const results = works.map(({ run }) => queue.run(run));
  await settled();
  expect(works.map(({ started }) => started())).toEqual([true, true, false, false]);
  works[1]?.resolve('two');
  expect(await results[1]).toBe('two');
  await settled();
  expect(works.map(({ started }) => started())).toEqual([true, true, true, false]);
  for (const [index, { resolve }] of works.entries()) resolve(String(index));
  expect(await Promise.all(results)).toEqual(['0', 'two', '2', '3']);
});

test('what fails makes room, too', async () => {
  const queue = new FewAtATime({ most: () => 1 });
  const failing = work();
  const failed = queue.run(failing.run);
  const next = queue.run(async () => 'next');
  failing.reject(new Error('broken'));
  await expect(failed).rejects.toThrow('broken');
  expect(await next).toBe('next');
  expect(await queue.run(async () => 'later')).toBe('later');
});

test('beyond what may wait it is refused at once', async () => {
  const queue = new FewAtATime({ most: () => 1, mostWaiting: 1, full: () => new Error('full') });
  const running = work();
  const first = queue.run(running.run);
  const second = queue.run(async () => 'second');
  await expect(queue.run(async () => 'third')).rejects.toThrow('full');
  running.resolve('first');
  expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  expect(await queue.run(async () => 'fourth')).toBe('fourth');
});

test('where more may run than before, those who wait take all the places', async () => {
  let most = 1;
  const queue = new FewAtATime({ most: () => most });
  const works = [work(), work(), work(), work()];
  const results = works.map(({ run }) => queue.run(run));
  most = 3;
  works[0]?.resolve('0');
  await results[0];
  await settled();
  expect(works.map(({ started }) => started())).toEqual([true, true, true, true]);
  for (const { resolve } of works) resolve('done');
  await Promise.all(results);
});

test('whoever comes in the turn in which a place is passed on does not get it', async () => {
  const queue = new FewAtATime({ most: () => 1 });
  const works = [work(), work(), work()];
  const first = queue.run((works[0] as (typeof works)[0]).run);
  const second = queue.run((works[1] as (typeof works)[0]).run);
  const third = first.then(() => queue.run((works[2] as (typeof works)[0]).run));
  works[0]?.resolve('0');
  await settled();
  expect(works.map(({ started }) => started())).toEqual([true, true, false]);
  for (const { resolve } of works) resolve('done');
  expect(await Promise.all([second, third])).toEqual(['done', 'done']);
});
