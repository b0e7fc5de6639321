import { openKeyspace } from '@parley/keyspace/open';
import { expect, it, onTestFinished } from 'vitest';
import { idOf, JULIET, ManagedSession, turns } from '../../../../tests/support/managed-session.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const newStore = () => new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const juliet = await new ManagedSession({ store: newStore() }).open();
  return { juliet, newStore };
}

it('what comes a second time is taken only when it was the first time', async () => {
  const { juliet } = await start();
  const order: string[] = [];
  const first = juliet.say('1', 1).then(() => order.push(`first ${juliet.stream.sent.map(idOf)[0]}`));
  const second = juliet.say('1', 1).then(() => order.push('second'));
  expect(order).toEqual([]);
  await Promise.all([first, second]);
  expect(order).toEqual(['first 1', 'second']);
  await juliet.say('1', 1);
  expect((await juliet.journal())?.entries).toEqual(['1 1']);
});

it('what comes a second time is not taken where the first time turns out to be too late', async () => {
  const { juliet, newStore } = await start();
  await newStore().claim(JULIET.bare, juliet.session.sessionId);
  const taken: boolean[] = [];
  for (let time = 0; time < 2; time++) void juliet.say('1', 1).then(() => taken.push(!juliet.session.ended));
  await turns();
  expect([juliet.session.ended, taken]).toEqual([true, []]);
  juliet.management.backlog.departed(); // it went elsewhere
  await turns();
  expect(taken).toEqual([false, false]);
  expect(juliet.stream.sent).toEqual([]);
});
