import { counter, gauge, histogram } from './definition.ts';
import { LATENCY } from './latency.ts';

/** What there is to know about the keyspace, and the way to it. */
export const keyspaceMetrics = {
  keyspaceCommands: counter({
    name: 'parley.keyspace.commands',
    unit: '{command}',
    help: 'Commands given to the keyspace.',
  }),
  keyspaceDuration: histogram({
    name: 'parley.keyspace.duration',
    unit: 's',
    help: 'Time until the keyspace has answered or committed.',
    bounds: LATENCY,
  }),
  keyspaceErrors: counter({
    name: 'parley.keyspace.errors',
    unit: '{error}',
    help: 'Commands that the keyspace failed to do.',
    labels: { cause: ['timeout', 'connection', 'refused', 'disk', 'other'] },
  }),
  keyspaceState: gauge({
    name: 'parley.keyspace.state',
    unit: '1',
    help: 'Whether the keyspace answers: 1, or 0 while it is away.',
    combine: 'min',
  }),
  keyspaceTrouble: gauge({
    name: 'parley.keyspace.trouble',
    unit: '1',
    help: 'Why the keyspace takes no writes: 1 for what is the matter with it, 0 for everything else.',
    labels: { failure: ['away', 'slow', 'full', 'read-only', 'refused', 'damaged', 'closed'] },
    combine: 'max',
  }),
  keyspaceLosses: counter({
    name: 'parley.keyspace.losses',
    unit: '{time}',
    help: 'Times that Redis may have lost its newest writes: it was started again, or a replica took its place.',
  }),
  keyspaceSize: gauge({
    name: 'parley.keyspace.size',
    unit: 'By',
    help: 'Size of the embedded keyspace on disk; 0 with Redis.',
    combine: 'sum',
  }),
  keyspaceDomainState: gauge({
    name: 'parley.keyspace.domain.state',
    unit: '1',
    help: 'Whether what belongs to a domain that waits for replicas of its own (domains[].replicas) can be kept: 1, or 0 while too few of them are there.',
    labels: { domain: 'open' },
    combine: 'min',
  }),
} as const;
