import type { Keyspace } from '@parley/keyspace/keyspace';
import type { KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import type { KeyspaceObserver } from '@parley/keyspace/observer';
import type { Metrics } from '@parley/metrics/registry';
import type { Log } from './log.ts';

const CAUSES = {
  away: 'connection',
  slow: 'timeout',
  full: 'disk',
  'read-only': 'disk',
  refused: 'refused',
  damaged: 'other',
  misuse: 'other',
  closed: 'other',
} as const satisfies Record<KeyspaceFailure, string>;

/** Counts what the keyspace does, and logs what it wants an operator to read. */
export function keyspaceMetrics(metrics: Metrics, log: Log): KeyspaceObserver {
  return {
    command(_name, milliseconds, failure) {
      metrics.keyspaceCommands.add(1);
      metrics.keyspaceDuration.record(milliseconds / 1000);
      if (failure !== undefined) metrics.keyspaceErrors.with({ cause: CAUSES[failure] }).add(1);
    },
    domainState: (domain, state) => metrics.keyspaceDomainState.with({ domain }).set(state === 'up' ? 1 : 0),
    warning: (message) => log.warn('keyspace.warning', { message }),
  };
}

const TROUBLES = ['away', 'slow', 'full', 'read-only', 'refused', 'damaged', 'closed'] as const;

/** Tells whether the keyspace works, and what is the matter where it does not. */
export function observeKeyspace(metrics: Metrics, keyspace: Pick<Keyspace, 'state' | 'trouble'>): void {
  metrics.keyspaceState.observe(() => (keyspace.state === 'up' ? 1 : 0));
  for (const failure of TROUBLES) {
    metrics.keyspaceTrouble.with({ failure }).observe(() => (keyspace.trouble?.failure === failure ? 1 : 0));
  }
}
