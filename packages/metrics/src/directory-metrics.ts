import { counter, gauge, histogram } from './definition.ts';
import { LATENCY } from './latency.ts';

/** What tells how the directories are. */
export const directoryMetrics = {
  directoryCalls: counter({
    name: 'parley.directory.calls',
    unit: '{call}',
    help: 'What directories were asked, and whether a server answered, refused, or none did in time.',
    labels: {
      operation: ['search', 'password', 'change', 'connection'],
      outcome: ['answered', 'refused', 'late', 'away'],
    },
  }),
  directoryDuration: histogram({
    name: 'parley.directory.duration',
    unit: 's',
    help: 'Time until a directory has answered, or nobody waits for it any more.',
    labels: { operation: ['search', 'password', 'change', 'connection'] },
    bounds: LATENCY,
  }),
  directoryConnections: gauge({
    name: 'parley.directory.connections',
    unit: '{connection}',
    help: 'Connections to the servers of a directory.',
    labels: { directory: 'open' },
    combine: 'sum',
  }),
  directoryWaiting: gauge({
    name: 'parley.directory.waiting',
    unit: '{call}',
    help: 'What waits for a free connection to a directory.',
    labels: { directory: 'open' },
    combine: 'sum',
  }),
  directoryServersAway: gauge({
    name: 'parley.directory.servers.away',
    unit: '{server}',
    help: 'Servers of a directory that do not work, as one node sees it; of several nodes the most.',
    labels: { directory: 'open' },
    combine: 'max',
  }),
} as const;
