import type { Metrics } from '@parley/metrics/registry';
import { startSpan } from '../../tracing/trace.ts';
import { DirectoryAway, DirectoryRefused } from './directory-error.ts';
import type { DirectoryServers } from './directory-servers.ts';

export type DirectoryOperation = 'search' | 'password' | 'change' | 'connection';

/** Has the metrics tell how a directory is; what it gives counts and times what is asked. */
export function observeCalls(
  directory: string,
  servers: () => DirectoryServers,
  metrics: Metrics | undefined,
): <T>(operation: DirectoryOperation, act: () => Promise<T>) => Promise<T> {
  metrics?.directoryConnections.with({ directory }).observe(() => servers().connections);
  metrics?.directoryWaiting.with({ directory }).observe(() => servers().waiting);
  metrics?.directoryServersAway.with({ directory }).observe(() => servers().away);
  return async (operation, act) => {
    const since = performance.now();
    const span = startSpan(`directory ${operation}`, 'client')?.set('parley.directory', directory);
    let outcome: 'answered' | 'refused' | 'late' | 'away' = 'answered';
    try {
      return await act();
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      span?.end(outcome === 'answered' ? undefined : outcome);
      metrics?.directoryCalls.with({ operation, outcome }).add(1);
      metrics?.directoryDuration.with({ operation }).record((performance.now() - since) / 1000);
    }
  };
}

function outcomeOf(error: unknown): 'answered' | 'refused' | 'late' | 'away' {
  if (error instanceof DirectoryRefused) return 'refused';
  return error instanceof DirectoryAway && (error.late || error.crowded) ? 'late' : 'away';
}
