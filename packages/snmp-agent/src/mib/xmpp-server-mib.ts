import { catalogue } from '@parley/metrics/catalogue';
import { seriesSum } from '@parley/metrics/series-sum';
import type { ApplicationState, ClusterState } from '../cluster/cluster-state.ts';
import { OPERATIONAL_STATUS } from '../cluster/cluster-state.ts';
import { gauge32, integer, text, timeTicks } from '../protocol/value.ts';
import { enumeration, type MibModule, type Notification, type Scalar, SYNTAX, type Table } from './definition.ts';
import { directoryTable, domainTable, providerTable } from './domain-tables.ts';
import { errorTable, limitTable } from './drop-tables.ts';
import { everyApplication } from './every-application.ts';
import { latencyTable } from './latency-table.ts';
import { kibibytes, metricColumn } from './metric-columns.ts';
import { peerTable } from './peer-table.ts';
import { redisTable } from './redis-table.ts';
import { loginTable, stanzaTable } from './traffic-tables.ts';

/** The enterprise number that RFC 5612 keeps for documentation, until a site has its own. */
export const DOCUMENTATION_ARC = [1, 3, 6, 1, 4, 1, 32473] as const;

const scalars: Scalar<ClusterState>[] = [
  {
    name: 'xmppClusterName',
    syntax: SYNTAX.text,
    description: 'The name of the cluster, or of the node where it is alone.',
    value: ({ cluster }) => text(cluster.name),
  },
  {
    name: 'xmppClusterNodesUp',
    syntax: SYNTAX.gauge,
    units: 'nodes',
    description: 'Nodes that run: whose xmppNodeState is up, halted, congested or quiescing.',
    value: ({ nodes }) => gauge32(nodes.filter(({ status }) => status !== 'down' && status !== 'restarting').length),
  },
  {
    name: 'xmppClusterNodesTotal',
    syntax: SYNTAX.gauge,
    units: 'nodes',
    description: 'Nodes that have a row in xmppNodeTable.',
    value: ({ nodes }) => gauge32(nodes.length),
  },
  {
    name: 'xmppClusterSnapshotTime',
    syntax: SYNTAX.time,
    description: 'The value of sysUpTime when the newest values of this module were taken.',
    value: ({ at }) => timeTicks(at),
  },
  {
    name: 'xmppClusterSessions',
    syntax: SYNTAX.gauge,
    units: 'sessions',
    description: 'Bound sessions of clients in the whole cluster.',
    value: ({ cluster }) => gauge32(seriesSum(cluster.metrics, catalogue.sessions)),
  },
];

const journalColumn = (name: string, change: string, description: string) =>
  metricColumn<ApplicationState>(name, catalogue.journalEntries, { filter: { change }, description });

const nodeTable: Table<ClusterState, ApplicationState> = {
  name: 'xmppNode',
  description:
    'One row for each node, and one with the index 1 for all of them together, whose counters never fall when a node ends. xmppNodeIndex is the applIndex of NETWORK-SERVICES-MIB (RFC 2788) for the same node.',
  index: [{ name: 'xmppNodeIndex', syntax: SYNTAX.index, description: 'Says which node; equal to its applIndex.' }],
  rows: (state) => everyApplication(state).map((row) => ({ index: [row.index], row })),
  columns: [
    {
      name: 'xmppNodeName',
      syntax: SYNTAX.text,
      description: 'The name of the node.',
      value: ({ name }) => text(name),
    },
    {
      name: 'xmppNodeState',
      syntax: enumeration(OPERATIONAL_STATUS),
      description:
        'As applOperStatus of RFC 2788. down: it was not heard in time. halted: it runs and can take nobody. congested: it has reached a limit. restarting: it was told to stop, and is not heard. quiescing: it takes nobody new.',
      value: ({ status }) => integer(OPERATIONAL_STATUS[status]),
    },
    {
      name: 'xmppNodeLastHeard',
      syntax: SYNTAX.time,
      description: 'The value of sysUpTime when the node was heard last.',
      value: ({ heardAt }) => timeTicks(heardAt),
    },
    {
      name: 'xmppNodeVersion',
      syntax: SYNTAX.text,
      description: 'The version of the server.',
      value: (row) => text(row.software),
    },
    metricColumn('xmppNodeSessions', catalogue.sessions),
    metricColumn('xmppNodeStreams', catalogue.streams, {
      filter: { kind: 'c2s' },
      description: 'Open streams of clients.',
    }),
    metricColumn('xmppNodeConnectionsAccepted', catalogue.connectionsAccepted),
    metricColumn('xmppNodeConnectionsRefused', catalogue.connectionsRefused),
    metricColumn('xmppNodeOctetsIn', catalogue.io, {
      filter: { direction: 'in' },
      description: 'Octets of XML read from streams, without TLS.',
    }),
    metricColumn('xmppNodeOctetsOut', catalogue.io, {
      filter: { direction: 'out' },
      description: 'Octets of XML written to streams, without TLS.',
    }),
    metricColumn('xmppNodeLoginsSucceeded', catalogue.logins, {
      filter: { outcome: 'success' },
      description: 'Logins that succeeded.',
    }),
    metricColumn('xmppNodeLimitsExceeded', catalogue.limitsExceeded),
    metricColumn('xmppNodeFaults', catalogue.errors),
    metricColumn('xmppNodeEventLoopDelay', catalogue.eventLoopDelay, {
      filter: { quantile: 'p99' },
      description: 'Delay of the event loop that 99 of 100 turns did not exceed over the last interval.',
    }),
    kibibytes('xmppNodeMemory', catalogue.rss),
    metricColumn('xmppNodeProcessorTime', catalogue.cpu),
    metricColumn('xmppNodeDescriptors', catalogue.descriptors, {
      filter: { state: 'used' },
      description: 'File descriptors in use.',
    }),
    metricColumn('xmppNodeKeyspaceState', catalogue.keyspaceState),
    metricColumn('xmppNodeKeyspaceCommands', catalogue.keyspaceCommands),
    metricColumn('xmppNodeKeyspaceErrors', catalogue.keyspaceErrors),
    metricColumn('xmppNodeKeyspaceLosses', catalogue.keyspaceLosses),
    metricColumn('xmppNodeSessionsTakenOver', catalogue.clusterTakeovers),
    metricColumn('xmppNodeDeliveriesWaiting', catalogue.clusterDeliveriesWaiting),
    metricColumn('xmppNodeOfflineStored', catalogue.offlineStored),
    metricColumn('xmppNodeOfflineDelivered', catalogue.offlineDelivered),
    metricColumn('xmppNodePeerStreamsIn', catalogue.federationStreams, {
      filter: { direction: 'in', state: 'open' },
      description: 'Streams that other servers have begun.',
    }),
    metricColumn('xmppNodePeerStreamsOut', catalogue.federationStreams, {
      filter: { direction: 'out', state: 'open' },
      description: 'Streams to other servers.',
    }),
    metricColumn('xmppNodePeerStanzasWaiting', catalogue.federationWaiting),
    metricColumn('xmppNodeSessionsDetached', catalogue.sessionsDetached, {
      description: 'Sessions that wait for their client to resume them.',
    }),
    metricColumn('xmppNodeDeliveriesHere', catalogue.deliveries, {
      filter: { hops: '0' },
      description: 'Stanzas for sessions of this node.',
    }),
    metricColumn('xmppNodeDeliveriesElsewhere', catalogue.deliveries, {
      filter: { hops: '1' },
      description: 'Stanzas for sessions that another node has: one hop away.',
    }),
    metricColumn('xmppNodeComponentStreams', catalogue.componentInstances),
    metricColumn('xmppNodeStanzasDropped', catalogue.stanzasDropped),
    metricColumn('xmppNodeDescriptorsLimit', catalogue.descriptors, {
      filter: { state: 'limit' },
      description: 'File descriptors that there may be.',
    }),
    kibibytes('xmppNodeHeap', catalogue.heap, { state: 'used' }, 'JavaScript heap in use.'),
    kibibytes(
      'xmppNodeHeapLimit',
      catalogue.heap,
      { state: 'limit' },
      'The most that the JavaScript heap may grow to.',
    ),
    journalColumn('xmppNodeJournalEntered', 'entered', 'Stanzas that were written down until they are acknowledged.'),
    journalColumn('xmppNodeJournalDelivered', 'delivered', 'Of these, such that were acknowledged.'),
    journalColumn('xmppNodeJournalMoved', 'moved', 'Of these, such that went elsewhere when their session ended.'),
    journalColumn('xmppNodeJournalBounced', 'bounced', 'Of these, such that did not reach another server in time.'),
    metricColumn('xmppNodeJournalUnaccounted', catalogue.journalUnaccounted, {
      description: 'Stanzas that were written down and of which nobody knows what became of them: it should be 0.',
    }),
    metricColumn('xmppNodeComponentStanzasWaiting', catalogue.componentWaiting),
  ],
};

export const NOTIFICATIONS = [
  'xmppNodeDown',
  'xmppNodeUp',
  'xmppNodeStateChange',
  'xmppKeyspaceLost',
  'xmppKeyspaceBack',
  'xmppDirectoryLost',
  'xmppDirectoryBack',
  'xmppLoginFailureBurst',
  'xmppCertificateExpiring',
  'xmppQueueHigh',
  'xmppMessageLoss',
  'xmppProviderLost',
  'xmppProviderBack',
] as const;
export type NotificationName = (typeof NOTIFICATIONS)[number];

const NODE = ['xmppNodeName', 'xmppNodeState'];
const ABOUT: Record<NotificationName, Omit<Notification, 'name'>> = {
  xmppNodeDown: { objects: [...NODE, 'xmppNodeLastHeard'], description: 'A node was not heard in time.' },
  xmppNodeUp: { objects: NODE, description: 'A node has joined, or is back.' },
  xmppNodeStateChange: { objects: NODE, description: 'A node is in another state, such as quiescing or congested.' },
  xmppKeyspaceLost: {
    objects: [...NODE, 'xmppNodeKeyspaceState'],
    description: 'Redis does not answer: all nodes and the agent where it is told of row 1, else a node.',
  },
  xmppKeyspaceBack: { objects: [...NODE, 'xmppNodeKeyspaceState'], description: 'Redis answers again.' },
  xmppDirectoryLost: {
    objects: ['xmppDirectoryServersAway'],
    description: 'A server of a directory does not work.',
  },
  xmppDirectoryBack: { objects: ['xmppDirectoryServersAway'], description: 'All servers of a directory work again.' },
  xmppLoginFailureBurst: {
    objects: [...NODE, 'xmppNodeLoginsSucceeded'],
    description: 'More logins have failed in a minute than the configuration takes for usual.',
  },
  xmppCertificateExpiring: {
    objects: ['xmppDomainCertificateDays'],
    description: 'The certificate of a domain will soon expire.',
  },
  xmppQueueHigh: {
    objects: [...NODE, 'xmppNodePeerStanzasWaiting', 'xmppNodeDeliveriesWaiting', 'xmppNodeComponentStanzasWaiting'],
    description: 'More stanzas wait on a node than the configuration takes for usual.',
  },
  xmppMessageLoss: {
    objects: [...NODE, 'xmppNodeJournalUnaccounted'],
    description: 'Stanzas that were written down are missing: a node has compared what came with what became of it.',
  },
  xmppProviderLost: { objects: ['xmppProviderAway'], description: 'An identity provider does not work.' },
  xmppProviderBack: { objects: ['xmppProviderAway'], description: 'An identity provider works again.' },
};

/** What NETWORK-SERVICES-MIB does not have about a cluster of XMPP servers. */
export const xmppServerMib: MibModule<ClusterState> = {
  name: 'XMPP-SERVER-MIB',
  description:
    'Objects to watch XMPP servers that are one cluster. They add to those of NETWORK-SERVICES-MIB (RFC 2788), which the same agent serves.',
  updated: '202611260000Z',
  scalars,
  tables: [
    nodeTable,
    stanzaTable,
    loginTable,
    latencyTable,
    domainTable,
    directoryTable,
    peerTable,
    redisTable,
    limitTable,
    errorTable,
    providerTable,
  ],
  notifications: NOTIFICATIONS.map((name) => ({ name, ...ABOUT[name] })),
};
