import { catalogue } from '@parley/metrics/catalogue';
import { seriesOf, seriesSum } from '@parley/metrics/series-sum';
import type { ApplicationState, ClusterState } from '../cluster/cluster-state.ts';
import { counter64, gauge32, integer } from '../protocol/value.ts';
import { enumeration, SYNTAX, type Table } from './definition.ts';
import { everyApplication } from './every-application.ts';
import { metricColumn } from './metric-columns.ts';

const LINK = { up: 1, down: 2 } as const;
const TROUBLE = { none: 1, away: 2, slow: 3, full: 4, readOnly: 5, refused: 6, damaged: 7, closed: 8 } as const;

/** As the catalogue calls them, in the order of their gravity. */
const FAILURES = ['closed', 'away', 'refused', 'damaged', 'full', 'read-only', 'slow'] as const;

const troubleOf = ({ metrics }: ApplicationState): number => {
  const found = FAILURES.find((failure) => seriesSum(metrics, catalogue.keyspaceTrouble, { failure }) > 0);
  if (found === undefined) return TROUBLE.none;
  return TROUBLE[found === 'read-only' ? 'readOnly' : found];
};

/** Domains whose replicas are not there. */
const unkept = ({ metrics }: ApplicationState): number =>
  [...seriesOf(metrics, catalogue.keyspaceDomainState)].filter(({ series }) => series === 0).length;

/** Seconds that all commands together have taken. */
const timeOf = ({ metrics }: ApplicationState): number =>
  [...seriesOf(metrics, catalogue.keyspaceDuration)].reduce(
    (sum, { series }) => sum + (typeof series === 'number' ? 0 : series.sum),
    0,
  );

export const redisTable: Table<ClusterState, ApplicationState> = {
  name: 'xmppRedis',
  description:
    'Redis, or whatever else keeps the state of the servers, as each node sees it; in row 1 as the one sees it that is worst off.',
  index: ['xmppNodeIndex'],
  rows: (state) => everyApplication(state).map((row) => ({ index: [row.index], row })),
  columns: [
    {
      name: 'xmppRedisLink',
      syntax: enumeration(LINK),
      description: 'Whether it answers.',
      value: ({ metrics }) => integer(LINK[seriesSum(metrics, catalogue.keyspaceState) === 0 ? 'down' : 'up']),
    },
    {
      name: 'xmppRedisTrouble',
      syntax: enumeration(TROUBLE),
      description:
        'Why it takes no writes. away: there is no connection. slow: it does not answer in time, or too few replicas do. full: it has no memory left. readOnly: it has become a replica. refused: it does not accept us. damaged: what it has cannot be read. closed: the node stops.',
      value: (row) => integer(troubleOf(row)),
    },
    {
      name: 'xmppRedisDomainsUnkept',
      syntax: SYNTAX.gauge,
      units: 'domains',
      description:
        'Domains for which nothing can be kept, since fewer replicas are there than they wait for; xmppDomainReplicas says which.',
      value: (row) => gauge32(unkept(row)),
    },
    metricColumn('xmppRedisCommands', catalogue.keyspaceCommands),
    {
      name: 'xmppRedisCommandTime',
      syntax: SYNTAX.counter,
      units: 'microseconds',
      description:
        'How long all of these have taken together: what this has grown by, divided by what xmppRedisCommands has grown by, is the mean. xmppLatencyTable has how it is distributed.',
      value: (row) => counter64(timeOf(row) * 1_000_000),
    },
    metricColumn('xmppRedisErrors', catalogue.keyspaceErrors),
    metricColumn('xmppRedisLosses', catalogue.keyspaceLosses),
    metricColumn('xmppRedisEchoAge', catalogue.clusterEchoAge),
  ],
};
