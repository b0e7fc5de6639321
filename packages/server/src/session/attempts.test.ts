import type { KeyspaceState, StateListener } from '@parley/keyspace/keyspace';
import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import { expect, it, onTestFinished, vi } from 'vitest';
import { untilDone, whenUpFor } from './attempts.ts';

const failing = (...failures: (KeyspaceFailure | undefined)[]) => {
  const log: string[] = [];
  const attempt = async () => {
    const failure = failures.shift();
    log.push(failure ?? 'done');
    if (failure !== undefined) throw new KeyspaceError(failure, failure);
    return 'result';
  };
  const again = async () => void log.push('again');
  return { log, result: untilDone(attempt, again) };
};

it('tries again whatever an operator or time can change', async () => {
  const { log, result } = failing('away', 'slow', 'full', 'read-only', 'refused');
  expect(await result).toBe('result');
  expect(log).toEqual(
    ['away', 'slow', 'full', 'read-only', 'refused'].flatMap((failure) => [failure, 'again']).concat('done'),
  );
});

it.each(['closed', 'damaged', 'misuse'] as const)('does not try again what is %s', async (failure) => {
  const { log, result } = failing('away', failure);
  await expect(result).rejects.toMatchObject({ failure });
  expect(log).toEqual(['away', 'again', failure]);
});

it('does not try again what is no fault of the keyspace', async () => {
  const attempt = () => Promise.reject(new TypeError('a bug'));
  await expect(untilDone(attempt, () => expect.fail('again'))).rejects.toThrow('a bug');
});

it('counts the time for which the keyspace has worked without a break', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const listeners = new Set<StateListener>();
  const keyspace = {
    state: 'up' as KeyspaceState,
    onState(listener: StateListener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const is = (state: KeyspaceState) => {
    keyspace.state = state;
    for (const listener of listeners) listener(state, undefined);
  };
  const calls: string[] = [];
  const start = (name: string) => whenUpFor(keyspace, 5000, () => calls.push(name));
  const stop = start('a');
  vi.advanceTimersByTime(4000);
  is('down');
  const stopped = start('b');
  vi.advanceTimersByTime(60_000);
  is('up');
  vi.advanceTimersByTime(4999);
  stopped();
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(1);
  stop();
  is('down');
  is('up');
  vi.advanceTimersByTime(60_000);
  expect([calls, listeners.size]).toEqual([['a'], 0]);
});
