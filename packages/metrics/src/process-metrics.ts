import { counter, gauge } from './definition.ts';

/** What the process uses of the machine. */
export const processMetrics = {
  eventLoopDelay: gauge({
    name: 'parley.eventloop.delay',
    unit: 's',
    help: 'Delay of the event loop over the last interval.',
    labels: { quantile: ['p50', 'p99', 'max'] },
    combine: 'max',
  }),
  cpu: counter({
    name: 'parley.cpu.time',
    unit: 's',
    help: 'Processor time used.',
    labels: { mode: ['user', 'system'] },
  }),
  heap: gauge({
    name: 'parley.memory.heap',
    unit: 'By',
    help: 'JavaScript heap in use and the most that it may grow to.',
    labels: { state: ['used', 'limit'] },
    combine: 'sum',
  }),
  rss: gauge({
    name: 'parley.memory.rss',
    unit: 'By',
    help: 'Resident memory of the process.',
    combine: 'sum',
  }),
  descriptors: gauge({
    name: 'parley.descriptors',
    unit: '{descriptor}',
    help: 'File descriptors in use and the most there may be.',
    labels: { state: ['used', 'limit'] },
    combine: 'sum',
  }),
};
