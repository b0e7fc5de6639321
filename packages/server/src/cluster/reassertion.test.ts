import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../log.ts';
import { Reassertion } from './reassertion.ts';

function start() {
  const asked: PromiseWithResolvers<number>[] = [];
  const keyspace = {
    state: 'up',
    now() {
      const question = Promise.withResolvers<number>();
      asked.push(question);
      return question.promise;
    },
  } as Partial<Keyspace> as Keyspace;
  const log = { warn() {}, info() {} } as unknown as Log;
  const rest = { assert: async () => {}, changed() {}, sweep: async () => {}, onFault: expect.fail };
  const reassertion = new Reassertion({ keyspace, sessions: [], log, ...rest });
  onTestFinished(() => reassertion.stop());
  let secured = false;
  const wait = () =>
    reassertion.secured().then(() => {
      secured = true;
    });
  /** Lets go on whatever can. */
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    return secured;
  };
  return { reassertion, asked, wait, settle };
}

it('a node that leaves stays until the store has answered once more', async () => {
  const { asked, wait, settle } = start();
  const waiting = wait();
  expect([await settle(), asked.length]).toEqual([false, 1]);
  asked[0]?.resolve(0);
  await waiting;
});

it('stays until a store that lacks something has been told what only this node knows', async () => {
  const { reassertion, asked, wait, settle } = start();
  const waiting = wait();
  await settle();
  const told = Promise.withResolvers<void>();
  reassertion.storeChanged();
  reassertion.restoring(told.promise, undefined);
  asked[0]?.reject(new KeyspaceError('away', 'lost'));
  await expect.poll(() => asked.length).toBe(2); // it asks again
  asked[1]?.resolve(0);
  expect([await settle(), asked.length]).toEqual([false, 2]);
  told.reject(new Error('it fails'));
  await expect.poll(() => asked.length).toBe(3);
  asked[2]?.resolve(0);
  await waiting;
});

it('does not stay for long where the store does not answer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { asked, wait } = start();
  const waiting = wait();
  await vi.advanceTimersByTimeAsync(5000);
  await waiting;
  expect(asked).toHaveLength(1);
});
