import type { Metrics } from '@parley/metrics/registry';
import type { Configuration } from '../config/schema.ts';
import type { Hooks } from '../hooks.ts';
import { isQueue } from '../session/resumption/resumption-keys.ts';
import { version } from '../version.ts';
import { Cluster } from './cluster.ts';
import type { ClusterHost, ClusterLink } from './cluster-host.ts';
import { leaseOf } from './lease.ts';

interface Parts
  extends Pick<
    ClusterHost,
    | 'keyspace'
    | 'log'
    | 'sessions'
    | 'store'
    | 'peers'
    | 'route'
    | 'onLate'
    | 'reap'
    | 'onFenced'
    | 'onFault'
    | 'tracing'
  > {
  readonly metrics: Metrics;
  /** Derives secrets from the one that all nodes share. */
  readonly secret: (purpose: string) => Buffer;
  readonly config: () => Configuration;
  readonly events: Hooks['events'];
}

/** Ties a node to the others; `join` has it become one of them. */
export function clusterOf(link: ClusterLink, { metrics, secret, config, events, ...parts }: Parts): Cluster {
  const cluster = new Cluster({
    ...link,
    ...parts,
    version,
    secretCheck: secret('check that all nodes have the same').toString('hex', 0, 8),
    lease: () => leaseOf(config()),
    onLeaving: (session) => isQueue(session.account) || events.emit('session.leaving', session),
    onMemberJoined: (id) => events.emit('node.joined', id),
    onMemberGone: (id) => events.emit('node.gone', id),
    onWanted: (sid) => events.emit('session.wanted', sid),
    onStoreChanged: () => events.emit('keyspace.changed'),
    onGoneElsewhere: (account) => isQueue(account) || events.emit('session.gone-elsewhere', account),
  });
  events.on('session.restored', (session) => cluster.came(session));
  parts.peers.on('reaped', (id) => cluster.onReaped(id));
  measure(metrics, cluster, parts.sessions);
  return cluster;
}

/** Has the metrics show what the cluster counts anyway. */
function measure(metrics: Metrics, cluster: Cluster, sessions: Parts['sessions']): void {
  metrics.keyspaceLosses.observe(() => cluster.losses);
  metrics.clusterMembers.observe(() => cluster.members.length);
  metrics.clusterSessionsElsewhere.observe(() => sessions.elsewhere);
  metrics.clusterDeliveriesWaiting.observe(() => cluster.traffic.waiting);
  metrics.clusterSessionsSought.observe(() => cluster.traffic.sought);
  metrics.clusterChannelWaiting.observe(() => cluster.traffic.waitingBytes);
  metrics.clusterFrames.with({ direction: 'in' }).observe(() => cluster.traffic.framesIn);
  metrics.clusterFrames.with({ direction: 'out' }).observe(() => cluster.traffic.framesOut);
  metrics.clusterItems.with({ direction: 'in' }).observe(() => cluster.traffic.itemsIn);
  metrics.clusterItems.with({ direction: 'out' }).observe(() => cluster.traffic.itemsOut);
  metrics.clusterItemsResent.observe(() => cluster.traffic.resent);
  metrics.clusterDamaged.observe(() => cluster.traffic.damaged);
  metrics.clusterEchoAge.observe(() => cluster.traffic.echoSeconds);
}
