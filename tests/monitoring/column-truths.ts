import { FORGED, PEER } from './busy-cluster.ts';
import type { Samples, Wanted } from './samples.ts';

/** What an object shows, told by what the nodes show to Prometheus; `together` says what the row of the cluster is. */
export interface Truth {
  value(samples: Samples): number;
  readonly together: 'sum' | 'max' | 'min';
  /** It is another one at each moment: two who look cannot have seen the same. */
  readonly momentary?: true;
}

const sum = (name: string, wanted?: Wanted, factor = 1): Truth => ({
  value: (samples) => samples.sum(name, wanted) * factor,
  together: 'sum',
});

const most = (name: string, wanted?: Wanted, factor = 1): Truth => ({ ...sum(name, wanted, factor), together: 'max' });
const least = (name: string, wanted?: Wanted): Truth => ({ ...sum(name, wanted), together: 'min' });

const MICRO = 1_000_000;
const KIBI = 1 / 1024;
const AWAY = ['away', 'slow', 'full', 'read-only', 'refused', 'damaged', 'closed'];

/** Columns of tables with one row for each node. */
export const nodeTruths: Readonly<Record<string, Truth>> = {
  xmppNodeSessions: sum('xmpp_sessions'),
  xmppNodeStreams: sum('xmpp_streams', { kind: 'c2s' }),
  xmppNodeConnectionsAccepted: sum('xmpp_connections_accepted_total'),
  xmppNodeConnectionsRefused: sum('xmpp_connections_refused_total'),
  xmppNodeOctetsIn: sum('xmpp_io_bytes_total', { direction: 'in' }),
  xmppNodeOctetsOut: sum('xmpp_io_bytes_total', { direction: 'out' }),
  xmppNodeLoginsSucceeded: sum('xmpp_auth_attempts_total', { outcome: 'success' }),
  xmppNodeLimitsExceeded: sum('xmpp_limits_exceeded_total'),
  xmppNodeFaults: sum('parley_errors_total'),
  xmppNodeEventLoopDelay: most('parley_eventloop_delay_seconds', { quantile: 'p99' }, MICRO),
  xmppNodeMemory: sum('parley_memory_rss_bytes', {}, KIBI),
  xmppNodeProcessorTime: sum('parley_cpu_time_seconds_total', {}, MICRO),
  xmppNodeDescriptors: sum('parley_descriptors', { state: 'used' }),
  xmppNodeDescriptorsLimit: sum('parley_descriptors', { state: 'limit' }),
  xmppNodeKeyspaceState: least('parley_keyspace_state'),
  xmppNodeKeyspaceCommands: sum('parley_keyspace_commands_total'),
  xmppNodeKeyspaceErrors: sum('parley_keyspace_errors_total'),
  xmppNodeKeyspaceLosses: sum('parley_keyspace_losses_total'),
  xmppNodeSessionsTakenOver: sum('parley_cluster_takeovers_total'),
  xmppNodeDeliveriesWaiting: { ...sum('parley_cluster_deliveries_waiting'), momentary: true },
  xmppNodeOfflineStored: sum('xmpp_offline_stored_total'),
  xmppNodeOfflineDelivered: sum('xmpp_offline_delivered_total'),
  xmppNodePeerStreamsIn: sum('xmpp_federation_streams', { direction: 'in', state: 'open' }),
  xmppNodePeerStreamsOut: sum('xmpp_federation_streams', { direction: 'out', state: 'open' }),
  xmppNodePeerStanzasWaiting: sum('xmpp_federation_waiting'),
  xmppNodeSessionsDetached: sum('xmpp_sessions_detached'),
  xmppNodeDeliveriesHere: sum('xmpp_deliveries_total', { hops: '0' }),
  xmppNodeDeliveriesElsewhere: sum('xmpp_deliveries_total', { hops: '1' }),
  xmppNodeComponentStreams: sum('xmpp_component_instances'),
  xmppNodeStanzasDropped: sum('xmpp_stanzas_dropped_total'),
  xmppNodeHeap: sum('parley_memory_heap_bytes', { state: 'used' }, KIBI),
  xmppNodeHeapLimit: sum('parley_memory_heap_bytes', { state: 'limit' }, KIBI),
  xmppNodeJournalEntered: sum('parley_journal_entries_total', { change: 'entered' }),
  xmppNodeJournalDelivered: sum('parley_journal_entries_total', { change: 'delivered' }),
  xmppNodeJournalMoved: sum('parley_journal_entries_total', { change: 'moved' }),
  xmppNodeJournalBounced: sum('parley_journal_entries_total', { change: 'bounced' }),
  xmppNodeJournalUnaccounted: sum('parley_journal_unaccounted_total'),
  xmppNodeComponentStanzasWaiting: { ...sum('xmpp_component_waiting'), momentary: true },
  xmppRedisLink: { value: (samples) => 2 - samples.sum('parley_keyspace_state'), together: 'max' },
  xmppRedisTrouble: {
    value: (samples) => 1 + samples.sum('parley_keyspace_trouble', { failure: AWAY }),
    together: 'max',
  },
  xmppRedisDomainsUnkept: {
    value: (samples) => samples.of('parley_keyspace_domain_state').filter(({ value }) => value === 0).length,
    together: 'max',
  },
  xmppRedisCommands: sum('parley_keyspace_commands_total'),
  xmppRedisCommandTime: sum('parley_keyspace_duration_seconds_sum', {}, MICRO),
  xmppRedisErrors: sum('parley_keyspace_errors_total'),
  xmppRedisLosses: sum('parley_keyspace_losses_total'),
  xmppRedisEchoAge: { ...most('parley_cluster_echo_age_seconds', {}, MICRO), momentary: true },
};

const numbers = (text: string) => [...Buffer.from(text)].join('.');

/** How another server proves who it is. */
const PROVED = ['certificate', 'dane', 'posh', 'dialback'];
const KINDS = ['message', 'presence', 'iq'];
const TIMED = [
  'xmpp_delivery_duration',
  'xmpp_resumption_duration',
  'parley_keyspace_duration',
  'parley_directory_duration',
];

/** Columns of tables with several rows for each node: the rest of the index, and what stands there. */
export function* rowTruths(samples: Samples): Generator<readonly [column: string, index: string, truth: Truth]> {
  for (const [kind, name] of KINDS.entries()) {
    const way = (metric: string, direction: string) => sum(metric, { kind: name, direction });
    yield ['xmppStanzas', `${kind + 1}.1`, way('xmpp_stanzas_total', 'in')];
    yield ['xmppStanzas', `${kind + 1}.2`, way('xmpp_stanzas_total', 'out')];
    yield ['xmppStanzas', `${kind + 1}.3`, way('xmpp_federation_stanzas_total', 'in')];
    yield ['xmppStanzas', `${kind + 1}.4`, way('xmpp_federation_stanzas_total', 'out')];
    yield ['xmppStanzas', `${kind + 1}.5`, way('xmpp_component_stanzas_total', 'in')];
    yield ['xmppStanzas', `${kind + 1}.6`, way('xmpp_component_stanzas_total', 'out')];
  }
  for (const mechanism of samples.values('xmpp_auth_attempts_total', 'mechanism')) {
    const outcomes = samples.values('xmpp_auth_attempts_total', 'outcome').filter((outcome) => outcome !== 'success');
    yield [
      'xmppLoginSuccesses',
      numbers(mechanism),
      sum('xmpp_auth_attempts_total', { mechanism, outcome: 'success' }),
    ];
    yield ['xmppLoginFailures', numbers(mechanism), sum('xmpp_auth_attempts_total', { mechanism, outcome: outcomes })];
  }
  for (const [kind, name] of TIMED.entries()) {
    for (const le of samples.values(`${name}_seconds_bucket`, 'le')) {
      const bound = le === '+Inf' ? 2 ** 31 - 1 : Math.round(Number(le) * MICRO);
      yield ['xmppLatencyCount', `${kind + 1}.${bound}`, sum(`${name}_seconds_bucket`, { le })];
    }
  }
  for (const limit of samples.values('xmpp_limits_exceeded_total', 'limit')) {
    yield ['xmppLimitExceeded', numbers(limit), sum('xmpp_limits_exceeded_total', { limit })];
  }
  for (const condition of samples.values('xmpp_stanza_errors_total', 'condition')) {
    yield ['xmppErrors', numbers(condition), sum('xmpp_stanza_errors_total', { condition })];
  }
}

/** 1 where it is kept, 2 where it is not. */
const domainKept: Truth = {
  value: (samples) => 2 - samples.sum('parley_keyspace_domain_state', { domain: 'verona.localhost' }),
  together: 'max',
};

/** Columns of tables of what all nodes together know. */
export function* clusterTruths(): Generator<readonly [object: string, truth: Truth]> {
  yield ['xmppClusterSessions.0', sum('xmpp_sessions')];
  for (const domain of ['localhost', 'verona.localhost']) {
    const at = (column: string) => `${column}.${numbers(domain)}`;
    yield [at('xmppDomainCertificateDays'), { ...least('parley_certificate_remaining_days', { domain }) }];
    yield [at('xmppDomainSessions'), sum('xmpp_domain_sessions', { domain })];
    yield [at('xmppDomainStanzasIn'), sum('xmpp_domain_stanzas_total', { domain, direction: 'in' })];
    yield [at('xmppDomainStanzasOut'), sum('xmpp_domain_stanzas_total', { domain, direction: 'out' })];
  }
  yield [`xmppDomainReplicas.${numbers('verona.localhost')}`, domainKept];
  const gone = `.${numbers('gone')}`;
  yield [`xmppDirectoryServersAway${gone}`, most('parley_directory_servers_away', { directory: 'gone' })];
  yield [`xmppDirectoryConnections${gone}`, sum('parley_directory_connections', { directory: 'gone' })];
  yield [`xmppDirectoryWaiting${gone}`, sum('parley_directory_waiting', { directory: 'gone' })];
  yield [`xmppProviderAway${gone}`, most('parley_provider_away', { provider: 'gone' })];
  for (const peer of [FORGED, PEER]) {
    const at = (column: string) => `${column}.${numbers(peer)}`;
    yield [at('xmppPeerStreamsIn'), sum('xmpp_federation_peer_streams', { peer, direction: 'in' })];
    yield [at('xmppPeerStreamsOut'), sum('xmpp_federation_peer_streams', { peer, direction: 'out' })];
    yield [at('xmppPeerStanzasIn'), sum('xmpp_federation_peer_stanzas_total', { peer, direction: 'in' })];
    yield [at('xmppPeerStanzasOut'), sum('xmpp_federation_peer_stanzas_total', { peer, direction: 'out' })];
    yield [at('xmppPeerStanzasWaiting'), sum('xmpp_federation_peer_waiting', { peer })];
    yield [at('xmppPeerProofs'), sum('xmpp_federation_peer_proofs_total', { peer, proof: PROVED })];
    yield [at('xmppPeerRefusals'), sum('xmpp_federation_peer_proofs_total', { peer, proof: 'refused' })];
    yield [at('xmppPeerFailures'), sum('xmpp_federation_peer_failures_total', { peer })];
  }
}

/** Columns of NETWORK-SERVICES-MIB (RFC 2788), by their numbers in applTable: those that count. */
export const applicationTruths: Readonly<Record<number, Truth>> = {
  8: {
    value: (samples) =>
      samples.sum('xmpp_streams', { kind: 'c2s', state: ['authenticated', 'bound'] }) +
      samples.sum('xmpp_federation_streams', { direction: 'in', state: 'open' }) +
      samples.sum('xmpp_component_instances'),
    together: 'sum',
  },
  9: sum('xmpp_federation_streams', { direction: 'out', state: 'open' }),
  10: {
    value: (samples) =>
      samples.sum('xmpp_auth_attempts_total', { outcome: 'success' }) +
      samples.sum('xmpp_federation_proofs_total', { direction: 'in', proof: PROVED }) +
      samples.sum('xmpp_component_handshakes_total', { outcome: 'completed' }),
    together: 'sum',
  },
  11: sum('xmpp_federation_attempts_total', { outcome: 'connected' }),
  14: {
    value: (samples) =>
      samples.sum('xmpp_connections_refused_total') +
      samples.sum('xmpp_auth_attempts_total') -
      samples.sum('xmpp_auth_attempts_total', { outcome: 'success' }) +
      samples.sum('xmpp_component_handshakes_total', { outcome: ['failed', 'refused'] }) +
      samples.sum('xmpp_federation_proofs_total', { direction: 'in', proof: 'refused' }),
    together: 'sum',
  },
  15: {
    value: (samples) =>
      samples.sum('xmpp_federation_attempts_total') -
      samples.sum('xmpp_federation_attempts_total', { outcome: 'connected' }),
    together: 'sum',
  },
};
