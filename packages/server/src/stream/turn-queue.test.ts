import { expect, it } from 'vitest';
import { turns } from '../../../../tests/support/managed-session.ts';
import { TurnQueue } from './turn-queue.ts';

/** A queue of ten turns a second, with a place for twenty, and who has got a turn. */
function start(limits = { perSecond: 10, maxWaitSeconds: 2 }) {
  const queue = new TurnQueue<string>(() => limits);
  const got: string[] = [];
  const waited: number[] = [];
  queue.onWaited = (ms) => waited.push(ms);
  const enter = (key: string, now = 0, first = false) => {
    const turn = queue.enter(key, now, () => first);
    if (turn === undefined) got.push(key);
    else if (turn !== 'full') void turn.then(() => got.push(key));
    return turn;
  };
  return { queue, got, waited, enter };
}

it('lets a few in at once, and the others in their order, at the rate', async () => {
  const { queue, got, waited, enter } = start();
  for (const key of 'abcdef') enter(key);
  expect([got, queue.size]).toEqual([['a', 'b'], 4]);
  for (const now of [20, 40, 60, 80, 100]) queue.serve(now, 40);
  await turns();
  expect(got).toEqual(['a', 'b', 'c']);
  enter('g', 100);
  for (let now = 120; now <= 500; now += 20) queue.serve(now, 40);
  await turns();
  expect([got.join(''), queue.size]).toEqual(['abcdefg', 0]);
  expect(waited).toEqual([60, 160, 260, 360, 360]);
  expect(enter('h', 500)).not.toBeUndefined(); // turns do not add up while there is a queue
  expect(enter('i', 10_000)).not.toBeUndefined(); // and nobody overtakes
});

it('makes up for nothing where the process had no time', async () => {
  const { queue, got, enter } = start();
  for (const key of 'abcdef') enter(key);
  queue.serve(5000, 40); // which would be fifty turns
  await turns();
  expect(got).toEqual(['a', 'b']);
});

it('has no place for more than can have their turn in time', () => {
  const { queue, enter } = start();
  const answers = Array.from({ length: 30 }, (_, index) => enter(`client ${index}`));
  expect(answers.filter((answer) => answer === undefined).length).toBe(2);
  expect(answers.indexOf('full')).toBe(22);
  expect(queue.size).toBe(20);
});

it('spends no turn on who has left', async () => {
  const { queue, got, waited, enter } = start();
  for (const key of 'abcdef') enter(key);
  queue.leave('c');
  queue.leave('d');
  queue.leave('nobody');
  await turns();
  expect([got.join(''), queue.size]).toEqual(['abcd', 2]); // they are told, and see that they are over
  for (let now = 20; now <= 100; now += 20) queue.serve(now, 40);
  await turns();
  expect([got.join(''), waited]).toEqual(['abcde', [60]]);
});

it('has nobody wait where there is no limit, as soon as there is none', async () => {
  const limits = { perSecond: 1, maxWaitSeconds: 10 };
  const { queue, got, enter } = start(limits);
  for (const key of 'abc') enter(key);
  limits.perSecond = Number.POSITIVE_INFINITY;
  enter('d');
  queue.serve(1, 40);
  await turns();
  expect([got.sort().join(''), queue.size]).toEqual(['abcd', 0]);
  limits.perSecond = 1;
  expect(enter('e', 2)).toBeUndefined();
  expect(enter('f', 2)).not.toBeUndefined();
});

it('gives three turns of four to those who go first, and one to the others', async () => {
  const { queue, got, enter } = start();
  for (const key of 'abcde') enter(key);
  for (const key of 'ABCDEFG') enter(key, 0, true);
  queue.leave('C');
  for (let now = 20; queue.size > 0; now += 20) queue.serve(now, 40);
  await turns();
  expect(got.filter((key) => key !== 'C').join('')).toBe('abABDcEFGde');
});

it('has a place for those who go first, however many others wait', () => {
  const { queue, enter } = start();
  for (let count = 0; count < 22; count++) enter(`client ${count}`);
  expect([enter('one more'), queue.size]).toEqual(['full', 20]);
  const answers = Array.from({ length: 21 }, (_, count) => enter(`first ${count}`, 0, true));
  expect([answers.indexOf('full'), queue.size]).toEqual([20, 40]);
  expect(enter('one more')).toBe('full');
});
