import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('gives each turn of the event loop to one, in the order in which they asked', async () => {
  const turns = new Turns();
  const done: string[] = [];
  const when: number[] = [];
  let turn = 0;
  let over = false;
  const count = () => {
    turn++;
    if (!over) setImmediate(count);
  };
  count();
  const work = async (name: string) => {
    for (let i = 1; i <= 3; i++) {
      await turns.next();
      done.push(`${name}${i}`);
      when.push(turn);
    }
  };
  await Promise.all([work('a'), work('b')]);
  over = true;
  expect(done).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
  expect(new Set(when).size).toBe(6);
  await turns.next(); // another one later
});
