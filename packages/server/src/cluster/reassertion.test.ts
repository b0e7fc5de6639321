import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../log.ts';
import { Reassertion } from './reassertion.ts';

function start() {
  const asked: PromiseWithResolvers<void>[] = [];
  const keyspace = {
    state: 'up',
    answered() {
      const question = Promise.withResolvers<void>();
      asked.push(question);
      return question.promise;
    },
  } as Partial<Keyspace> as Keyspace;
  const log = { warn() {}, info() {} } as unknown as Log;
  const rest = { assert: async () => {}, changed() {}, sweep: async () => {}, onFault: expect.fail };
  const reassertion = new Reassertion({ keyspace, sessions: [], log, ...rest });
  onTestFinished(() => reassertion.stop());
  const scene = { left: false, async leave() {} };
  const leave = () =>
    reassertion.leave(async () => {
      scene.left = true;
      await scene.leave();
    });
  /** The same by a node that waits for the store however slow this machine is. */
  const wait = () => {
    vi.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + 3_600_000);
    return leave();
  };
  /** Lets go on whatever can. */
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    return scene.left;
  };
  return { reassertion, asked, leave, wait, settle, scene };
}

it('a node that leaves stays until the store has answered once more', async () => {
  const { asked, wait, settle } = start();
  const waiting = wait();
  expect([await settle(), asked.length]).toEqual([false, 1]);
  asked[0]?.resolve();
  expect([await settle(), asked.length]).toEqual([true, 2]); // it may have lost something since
  asked[1]?.resolve();
  await waiting;
});

it('tells once more what a store has lost while the node left', async () => {
  const { reassertion, asked, wait, settle, scene } = start();
  const told = Promise.withResolvers<void>();
  scene.leave = async () => {
    reassertion.storeChanged();
    reassertion.restoring(told.promise);
  };
  const waiting = wait();
  await settle();
  asked[0]?.resolve();
  expect([await settle(), asked.length]).toEqual([true, 1]);
  told.resolve();
  await settle();
  asked[1]?.resolve();
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
  asked[1]?.resolve();
  expect([await settle(), asked.length]).toEqual([false, 2]);
  told.reject(new Error('it fails'));
  await expect.poll(() => asked.length).toBe(3);
  asked[2]?.resolve();
  await expect.poll(() => asked.length).toBe(4);
  asked[3]?.resolve();
  await waiting;
});

it('does not stay for long where the store does not answer', async () => {
  const { asked, leave } = start();
  await leave();
  expect(asked).toHaveLength(2);
});

it('does not know of itself, when it starts, whether the store has lost something', () => {
  const { reassertion } = start();
  expect(reassertion.unsettled).toBe(true);
  reassertion.settled();
  expect(reassertion.unsettled).toBe(false);
  reassertion.storeChanged();
  reassertion.settled();
  expect(reassertion.unsettled).toBe(true);
});
