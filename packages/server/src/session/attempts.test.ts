import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import { expect, it } from 'vitest';
import { untilDone } from './attempts.ts';

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
