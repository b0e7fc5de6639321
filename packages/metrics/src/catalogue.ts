import { auditMetrics } from './audit-metrics.ts';
import { componentMetrics } from './component-metrics.ts';
import { LOGIN_OUTCOMES, MECHANISMS, STANZA_CONDITIONS, STREAM_CONDITIONS } from './conditions.ts';
import { counter, type Definition, gauge, histogram } from './definition.ts';
import { directoryMetrics } from './directory-metrics.ts';
import { federationMetrics } from './federation-metrics.ts';
import { identityProviderMetrics } from './identity-provider-metrics.ts';
import { journalMetrics } from './journal-metrics.ts';
import { keyspaceMetrics } from './keyspace-metrics.ts';
import { LATENCY } from './latency.ts';
import { LIMITS } from './limits.ts';
import { NODE_STATES } from './node-state.ts';
import { peerMetrics } from './peer-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { synchronisationMetrics } from './synchronisation-metrics.ts';

/** Every metric of the server, once. */
export const catalogue = {
  connectionsAccepted: counter({
    name: 'xmpp.connections.accepted',
    unit: '{connection}',
    help: 'Connections that were accepted.',
    labels: { transport: ['tcp', 'tls'] },
  }),
  connectionsRefused: counter({
    name: 'xmpp.connections.refused',
    unit: '{connection}',
    help: 'Connections that were closed before a stream began.',
    labels: { cause: ['address', 'overload', 'descriptors', 'proxy-source', 'proxy-header'] },
  }),
  handshakes: counter({
    name: 'xmpp.tls.handshakes',
    unit: '{handshake}',
    help: 'TLS handshakes that ended.',
    labels: { outcome: ['completed', 'failed', 'timeout'] },
  }),
  streams: gauge({
    name: 'xmpp.streams',
    unit: '{stream}',
    help: 'Open streams of clients (c2s), from other servers (s2s-in), to other servers (s2s-out) and of components.',
    labels: {
      kind: ['c2s', 's2s-in', 's2s-out', 'component'],
      state: ['negotiating', 'authenticated', 'bound', 'closing'],
    },
    combine: 'sum',
  }),
  streamErrors: counter({
    name: 'xmpp.stream.errors',
    unit: '{error}',
    help: 'Stream errors sent (out) and received (in).',
    labels: { condition: STREAM_CONDITIONS, direction: ['in', 'out'] },
  }),
  io: counter({
    name: 'xmpp.io',
    unit: 'By',
    help: 'Bytes of XML read from and written to streams, without TLS.',
    labels: { direction: ['in', 'out'] },
  }),
  logins: counter({
    name: 'xmpp.auth.attempts',
    unit: '{attempt}',
    help: 'Attempts to log in that ended.',
    labels: { mechanism: MECHANISMS, outcome: LOGIN_OUTCOMES },
  }),
  admissionWaiting: gauge({
    name: 'xmpp.admission.waiting',
    unit: '{stream}',
    help: 'Clients that wait for their turn to log in, or to resume a session.',
    labels: { kind: ['login', 'resumption'] },
    combine: 'sum',
  }),
  admissionWait: histogram({
    name: 'xmpp.admission.wait',
    unit: 's',
    help: 'How long they waited; those whose turn it was at once are not counted.',
    labels: { kind: ['login', 'resumption'] },
    bounds: [0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  }),
  sessions: gauge({
    name: 'xmpp.sessions',
    unit: '{session}',
    help: 'Bound resources.',
    combine: 'sum',
  }),
  sessionsDetached: gauge({
    name: 'xmpp.sessions.detached',
    unit: '{session}',
    help: 'Of these, such that wait for their client to resume them.',
    combine: 'sum',
  }),
  domainSessions: gauge({
    name: 'xmpp.domain.sessions',
    unit: '{session}',
    help: 'Bound resources of the accounts of a domain.',
    labels: { domain: 'open' },
    combine: 'sum',
  }),
  domainStanzas: counter({
    name: 'xmpp.domain.stanzas',
    unit: '{stanza}',
    help: 'Stanzas received from (in) and written to (out) sessions of a domain.',
    labels: { domain: 'open', direction: ['in', 'out'] },
  }),
  stanzas: counter({
    name: 'xmpp.stanzas',
    unit: '{stanza}',
    help: 'Stanzas received from (in) and written to (out) sessions.',
    labels: { kind: ['message', 'presence', 'iq'], direction: ['in', 'out'] },
  }),
  stanzaErrors: counter({
    name: 'xmpp.stanza.errors',
    unit: '{error}',
    help: 'Stanza errors that the server itself answered with.',
    labels: { condition: STANZA_CONDITIONS },
  }),
  stanzasDropped: counter({
    name: 'xmpp.stanzas.dropped',
    unit: '{stanza}',
    help: 'Stanzas that ended here without an error to their sender, as the protocol asks.',
    labels: { cause: ['blocked', 'unavailable', 'no-account'] },
  }),
  limitsExceeded: counter({
    name: 'xmpp.limits.exceeded',
    unit: '{time}',
    help: 'Times that somebody met a limit.',
    labels: { limit: LIMITS },
  }),
  deliveries: counter({
    name: 'xmpp.deliveries',
    unit: '{stanza}',
    help: 'Stanzas for a session, by how many hops from one node to another they took to it.',
    labels: { hops: ['0', '1'] },
  }),
  deliveryDuration: histogram({
    name: 'xmpp.delivery.duration',
    unit: 's',
    help: 'Time from taking a message in to handing it to its recipients or storing it; one of 16 is timed.',
    bounds: LATENCY,
  }),
  offlineStored: counter({
    name: 'xmpp.offline.stored',
    unit: '{message}',
    help: 'Messages stored for accounts that were not online.',
  }),
  offlineDelivered: counter({
    name: 'xmpp.offline.delivered',
    unit: '{message}',
    help: 'Stored messages handed to their recipient.',
  }),
  offlineSize: histogram({
    name: 'xmpp.offline.size',
    unit: 'By',
    help: 'Size of a message when it is stored.',
    bounds: [256, 1024, 4096, 16_384, 65_536, 262_144],
  }),
  offlineLost: counter({
    name: 'xmpp.offline.lost',
    unit: '{message}',
    help: 'Stored messages that could not be stored once more after Redis had lost its newest writes.',
  }),
  offlineForgotten: counter({
    name: 'xmpp.offline.forgotten',
    unit: '{message}',
    help: 'Stored messages that the node had no room to remember for as long as Redis could have lost them.',
  }),
  rosterSize: histogram({
    name: 'xmpp.roster.size',
    unit: '{contact}',
    help: 'Contacts in a roster when a client asks for it.',
    bounds: [0, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000],
  }),
  rosterChanges: counter({
    name: 'xmpp.roster.changes',
    unit: '{change}',
    help: 'Changes to rosters.',
    labels: { action: ['set', 'remove', 'subscription'] },
  }),
  ...keyspaceMetrics,
  clusterMembers: gauge({
    name: 'parley.cluster.members',
    unit: '{node}',
    help: 'Nodes that are known to run, this one among them; of several nodes the least.',
    combine: 'min',
  }),
  clusterSessionsElsewhere: gauge({
    name: 'parley.cluster.sessions.elsewhere',
    unit: '{session}',
    help: 'Sessions of other nodes that are known here; of several nodes the most.',
    combine: 'max',
  }),
  clusterDeliveriesWaiting: gauge({
    name: 'parley.cluster.deliveries.waiting',
    unit: '{stanza}',
    help: 'Stanzas for sessions of other nodes that were not answered yet.',
    combine: 'sum',
  }),
  clusterSessionsSought: gauge({
    name: 'parley.cluster.sessions.sought',
    unit: '{session}',
    help: 'Sessions that have moved, or whose node is gone, and that are looked for.',
    combine: 'sum',
  }),
  clusterChannelWaiting: gauge({
    name: 'parley.cluster.channel.waiting',
    unit: 'By',
    help: 'Bytes for other nodes that these have not acknowledged.',
    combine: 'sum',
  }),
  clusterFrames: counter({
    name: 'parley.cluster.frames',
    unit: '{frame}',
    help: 'Frames from other nodes (in) and for them (out).',
    labels: { direction: ['in', 'out'] },
  }),
  clusterItems: counter({
    name: 'parley.cluster.items',
    unit: '{item}',
    help: 'Items, many of which may be in one frame, from other nodes (in) and for them (out); each once.',
    labels: { direction: ['in', 'out'] },
  }),
  clusterItemsResent: counter({
    name: 'parley.cluster.items.resent',
    unit: '{item}',
    help: 'Items that were sent once more, since nobody knew whether they had arrived.',
  }),
  clusterDamaged: counter({
    name: 'parley.cluster.damaged',
    unit: '{frame}',
    help: 'Frames and items from other nodes that could not be read.',
  }),
  clusterTakeovers: counter({
    name: 'parley.cluster.takeovers',
    unit: '{session}',
    help: 'Sessions taken over: left by their node (released), from one that did not answer or was gone when the client came back (forced), or of one that was gone before it did (reaped).',
    labels: { how: ['released', 'forced', 'reaped'] },
  }),
  clusterFenced: counter({
    name: 'parley.cluster.fenced',
    unit: '{time}',
    help: 'Times that other nodes gave this one up since its process began; all other counters began anew with each.',
  }),
  clusterEchoAge: gauge({
    name: 'parley.cluster.echo.age',
    unit: 's',
    help: 'Time since the node last heard what it tells all others itself; of several nodes the longest.',
    combine: 'max',
  }),
  ...componentMetrics,
  ...directoryMetrics,
  ...identityProviderMetrics,
  ...synchronisationMetrics,
  ...federationMetrics,
  ...peerMetrics,
  ...journalMetrics,
  resumptionDuration: histogram({
    name: 'xmpp.resumption.duration',
    unit: 's',
    help: 'Time from the request of a client to resume its session to the answer, by where the session was: on this node, on another one, or on one that was gone.',
    labels: { from: ['here', 'elsewhere', 'gone'] },
    bounds: LATENCY,
  }),
  ...processMetrics,
  certificateDays: gauge({
    name: 'parley.certificate.remaining',
    unit: 'd',
    help: 'Days until the certificate of a domain expires; negative once it has.',
    labels: { domain: 'open' },
    combine: 'min',
  }),
  errors: counter({
    name: 'parley.errors',
    unit: '{error}',
    help: 'Faults of the program itself, each in the log with its stack.',
  }),
  logDropped: counter({
    name: 'parley.log.dropped',
    unit: '{line}',
    help: 'Lines of the log that were dropped because nobody took them in time.',
  }),
  ...auditMetrics,
  reloads: counter({
    name: 'parley.configuration.reloads',
    unit: '{reload}',
    help: 'Reloads of the configuration.',
    labels: { outcome: ['applied', 'refused'] },
  }),
  nodeState: gauge({
    name: 'parley.node.state',
    unit: '{node}',
    help: 'Nodes that take clients (up), have reached a limit (congested), are being drained or stop (quiescing), or run and can take nobody (halted).',
    labels: { state: NODE_STATES },
    combine: 'sum',
  }),
  uptime: gauge({
    name: 'parley.uptime',
    unit: 's',
    help: 'Time since the node started; of several nodes the shortest.',
    combine: 'min',
  }),
  build: gauge({
    name: 'parley.build',
    unit: '{node}',
    help: 'Nodes that run this version.',
    labels: { version: 'open', node: 'open' },
    combine: 'sum',
  }),
} as const satisfies Record<string, Definition>;

export type Catalogue = typeof catalogue;
export { LIMITS, type LimitName } from './limits.ts';
