import { expect, test } from 'vitest';
import { toKeyspaceError } from './reply-error.ts';

const of = (message: string) => toKeyspaceError('set', new Error(message), false, 'unknown');

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", 'full', 'not-executed'],
  ["READONLY You can't write against a read only replica.", 'read-only', 'not-executed'],
  ['MISCONF Redis is configured to save RDB snapshots, but it is unable to.', 'read-only', 'not-executed'],
  ['NOREPLICAS Not enough good replicas to write.', 'read-only', 'not-executed'],
  ['LOADING Redis is loading the dataset in memory', 'away', 'not-executed'],
  ['CLUSTERDOWN The cluster is down', 'away', 'not-executed'],
  ['MOVED 866 127.0.0.1:7001', 'away', 'not-executed'],
  ['NOAUTH Authentication required.', 'refused', 'unknown'],
  ["NOPERM User x has no permissions to run the 'set' command", 'refused', 'unknown'],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', 'misuse', 'unknown'],
  ['Connection is closed.', 'away', 'unknown'],
  ['Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest"', 'away', 'unknown'],
  ["Stream isn't writeable and enableOfflineQueue options is false", 'away', 'not-executed'],
])('%s', (message, failure, outcome) => {
  expect(of(message)).toMatchObject({ name: 'KeyspaceError', failure, outcome });
});

test('a read changed nothing, however it failed', () => {
  const error = toKeyspaceError('get', new Error('Connection is closed.'), true, 'not-executed');
  expect(error).toMatchObject({ failure: 'away', outcome: 'not-executed' });
});
