import { KeyspaceError, type KeyspaceFailure, type Outcome } from '../keyspace-error.ts';

/** What the first word of an error of Redis means. In all of these Redis refused the command before it did anything. */
const refusals = new Map<string, [failure: KeyspaceFailure, message: string]>([
  ['OOM', ['full', 'Redis has reached its maxmemory. Give it more memory.']],
  ['READONLY', ['read-only', 'This Redis is a replica and takes no writes. Name the primary, or its sentinels.']],
  ['NOREPLICAS', ['read-only', 'Redis takes no writes, since too few replicas are connected to it.']],
  ['MISCONF', ['read-only', 'Redis takes no writes, since it cannot save to its disk.']],
  ['LOADING', ['away', 'Redis is loading its data.']],
  ['MASTERDOWN', ['away', 'This Redis is a replica without its primary.']],
  ['CLUSTERDOWN', ['away', 'The Redis Cluster does not serve all of its slots.']],
  ['TRYAGAIN', ['away', 'The Redis Cluster is moving this slot.']],
  ['MOVED', ['away', 'The Redis Cluster has moved this slot.']],
  ['ASK', ['away', 'The Redis Cluster is moving this slot.']],
  ['BUSY', ['slow', 'Redis is busy with a script.']],
  ['NOAUTH', ['refused', 'Redis asks for a password.']],
  ['WRONGPASS', ['refused', 'Redis does not accept this user and password.']],
  ['NOPERM', ['refused', 'The Redis user lacks a right that is needed.']],
  ['NOSCRIPT', ['away', 'Redis does not know the script.']],
]);

export function errorCode(error: Error): string | undefined {
  return /^[A-Z][A-Z0-9]+(?= |$)/.exec(error.message)?.[0];
}

/** Not sent, says the client, where the connection was not there to begin with. */
const unsent = /isn't write?able|isn't ready|No subscriber/;

/** What a failed command, `what`, comes to. `fault` is the outcome of one that Redis began with and could not finish. */
export function toKeyspaceError(what: string, error: Error, read: boolean, fault: Outcome): KeyspaceError {
  const code = errorCode(error);
  const refusal = refusals.get(code ?? '');
  if (refusal) {
    const [failure, message] = refusal;
    // A script may have come across a right that it lacks after it changed something; the others come before.
    const outcome = failure === 'refused' ? fault : 'not-executed';
    return new KeyspaceError(failure, `${message} (${error.message})`, { outcome, cause: error });
  }
  if (code) return new KeyspaceError('misuse', `${what}: ${error.message}`, { outcome: fault, cause: error });
  const outcome = read || unsent.test(error.message) ? 'not-executed' : 'unknown';
  // What the client says of commands that were under way speaks of an option that no operator can set.
  const reason = error.message.startsWith('Reached the max retries') ? 'it was cut' : error.message;
  return new KeyspaceError('away', `There is no connection to Redis: ${reason}`, { outcome, cause: error });
}
