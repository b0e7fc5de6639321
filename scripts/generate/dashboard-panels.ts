/** One picture: what it is called, the unit of Grafana, and what it shows. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** For people who look at it. */
  readonly about: string;
  readonly queries: readonly Query[];
}

export interface Query {
  readonly expr: string;
  readonly legend: string;
}

const OF = 'job="$job", instance=~"$instance"';

const gauge = (metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `sum by (${by}) (${metric}{${labels}${OF}})`,
  legend,
});
const rate = (metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `sum by (${by}) (rate(${metric}{${labels}${OF}}[$__rate_interval]))`,
  legend,
});
const quantile = (of: number, metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `histogram_quantile(${of}, sum by (le, ${by}) (rate(${metric}_bucket{${labels}${OF}}[$__rate_interval])))`,
  legend: `${legend} p${of * 100}`,
});
/** Without those that nothing was measured of, which are no numbers. */
const known = ({ expr, legend }: Query): Query => ({ expr: `${expr} >= 0`, legend });
const most = (metric: string, by: string, legend: string, labels = ''): Query => ({
  expr: `max by (${by}) (${metric}{${labels}${OF}})`,
  legend,
});
/** Those series of a rate that are not 0; where all are, a line at 0, since "No data" might be a fault. */
const nonZero = (metric: string, by: string, legend: string, labels = ''): Query => {
  const { expr } = rate(metric, by, legend, labels);
  return { expr: `${expr} > 0 or on () label_replace(vector(0), "${by}", "none", "", "")`, legend };
};

/** The rows of the dashboard, with what is in them. */
export const rows: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'What users feel',
    [
      {
        title: 'Nodes by state',
        unit: 'none',
        about:
          'up takes clients; congested has reached a limit; quiescing is drained or stops; halted can take nobody.',
        queries: [gauge('parley_node_state', 'state', '{{state}}')],
      },
      {
        title: 'Sessions',
        unit: 'none',
        about: 'Bound resources on each node.',
        queries: [gauge('xmpp_sessions', 'instance', '{{instance}}')],
      },
      {
        title: 'Messages a second',
        unit: 'ops',
        about: 'From clients (in) and to them (out).',
        queries: [rate('xmpp_stanzas_total', 'direction', '{{direction}}', 'kind="message", ')],
      },
      {
        title: 'Time to deliver a message',
        unit: 's',
        about: 'From taking it in to handing it to its recipients or storing it.',
        queries: [
          quantile(0.5, 'xmpp_delivery_duration_seconds', 'job', 'delivery'),
          quantile(0.99, 'xmpp_delivery_duration_seconds', 'job', 'delivery'),
        ],
      },
    ],
  ],
  [
    'Clients',
    [
      {
        title: 'Logins a second',
        unit: 'ops',
        about: 'By what they came to.',
        queries: [
          {
            expr: `sum by (outcome) (rate(xmpp_auth_attempts_total{${OF}}[$__rate_interval])) > 0 or sum by (outcome) (rate(xmpp_auth_attempts_total{outcome="success", ${OF}}[$__rate_interval]))`,
            legend: '{{outcome}}',
          },
        ],
      },
      {
        title: 'Streams',
        unit: 'none',
        about: 'By how far they have come.',
        queries: [gauge('xmpp_streams', 'state', '{{state}}')],
      },
      {
        title: 'Waiting to log in',
        unit: 'none',
        about: 'More clients come at once than the nodes let in.',
        queries: [gauge('xmpp_admission_waiting', 'kind', '{{kind}}')],
      },
      {
        title: 'Connections and handshakes a second',
        unit: 'ops',
        about: 'Those that were accepted, those that were refused, and TLS handshakes that failed.',
        queries: [
          rate('xmpp_connections_accepted_total', 'transport', 'accepted, {{transport}}'),
          rate('xmpp_connections_refused_total', 'cause', 'refused, {{cause}}'),
          rate('xmpp_tls_handshakes_total', 'outcome', 'TLS {{outcome}}'),
        ],
      },
      {
        title: 'Time to resume a session',
        unit: 's',
        about: 'By where it was: on this node, on another one, or on one that was gone. Empty while nobody comes back.',
        queries: [known(quantile(0.99, 'xmpp_resumption_duration_seconds', 'from', '{{from}}'))],
      },
      {
        title: 'Limits that were met, a second',
        unit: 'ops',
        about: 'An abuser, or a limit that is too narrow: the log says who.',
        queries: [nonZero('xmpp_limits_exceeded_total', 'limit', '{{limit}}')],
      },
    ],
  ],
  [
    'Stanzas',
    [
      {
        title: 'Stanzas a second',
        unit: 'ops',
        about: 'By kind and direction.',
        queries: [rate('xmpp_stanzas_total', 'kind, direction', '{{kind}} {{direction}}')],
      },
      {
        title: 'Bytes a second',
        unit: 'Bps',
        about: 'XML, without TLS.',
        queries: [rate('xmpp_io_bytes_total', 'direction', '{{direction}}')],
      },
      {
        title: 'Errors a second',
        unit: 'ops',
        about: 'Stanza errors that the server answered with, stream errors that it sent, and stanzas that ended here.',
        queries: [
          nonZero('xmpp_stanza_errors_total', 'condition', 'stanza {{condition}}'),
          nonZero('xmpp_stream_errors_total', 'condition', 'stream {{condition}}', 'direction="out", '),
          rate('xmpp_stanzas_dropped_total', 'cause', 'dropped, {{cause}}'),
        ],
      },
      {
        title: 'Stored messages a second',
        unit: 'ops',
        about: 'For accounts that were not online. What is lost or forgotten should stay at 0.',
        queries: [
          rate('xmpp_offline_stored_total', 'job', 'stored'),
          rate('xmpp_offline_delivered_total', 'job', 'delivered'),
          rate('xmpp_offline_lost_total', 'job', 'lost'),
          rate('xmpp_offline_forgotten_total', 'job', 'forgotten'),
        ],
      },
    ],
  ],
  [
    'Keyspace and cluster',
    [
      {
        title: 'The keyspace answers',
        unit: 'none',
        about: '1, or 0 while it is away.',
        queries: [{ expr: `min by (instance) (parley_keyspace_state{${OF}})`, legend: '{{instance}}' }],
      },
      {
        title: 'Time of a keyspace command',
        unit: 's',
        about: 'Until it is answered or committed.',
        queries: [
          quantile(0.5, 'parley_keyspace_duration_seconds', 'job', 'command'),
          quantile(0.99, 'parley_keyspace_duration_seconds', 'job', 'command'),
        ],
      },
      {
        title: 'Keyspace commands and errors a second',
        unit: 'ops',
        about: 'Errors should stay at 0.',
        queries: [
          rate('parley_keyspace_commands_total', 'instance', '{{instance}}'),
          rate('parley_keyspace_errors_total', 'cause', 'failed, {{cause}}'),
        ],
      },
      {
        title: 'Nodes that are known',
        unit: 'none',
        about: 'As each node sees it.',
        queries: [most('parley_cluster_members', 'instance', '{{instance}}')],
      },
      {
        title: 'Items between nodes, a second',
        unit: 'ops',
        about: 'And those that had to be sent again.',
        queries: [
          rate('parley_cluster_items_total', 'direction', '{{direction}}'),
          rate('parley_cluster_items_resent_total', 'job', 'again'),
        ],
      },
      {
        title: 'Waiting between nodes',
        unit: 'none',
        about:
          'Stanzas for sessions of other nodes, and sessions that are looked for. What only grows is a node that does not answer.',
        queries: [
          gauge('parley_cluster_deliveries_waiting', 'instance', 'stanzas, {{instance}}'),
          gauge('parley_cluster_sessions_sought', 'instance', 'sought, {{instance}}'),
        ],
      },
      {
        title: 'Sessions taken over, a second',
        unit: 'ops',
        about: 'released: handed over; forced: from a node that did not answer; reaped: of one that was gone.',
        queries: [rate('parley_cluster_takeovers_total', 'how', '{{how}}')],
      },
    ],
  ],
  [
    'Other servers, directories, components',
    [
      {
        title: 'Streams with other servers',
        unit: 'none',
        about: 'Those that are negotiated are on their way.',
        queries: [gauge('xmpp_federation_streams', 'direction, state', '{{direction}} {{state}}')],
      },
      {
        title: 'Attempts to reach other servers, a second',
        unit: 'ops',
        about: 'By the step at which they ended.',
        queries: [rate('xmpp_federation_attempts_total', 'outcome', '{{outcome}}')],
      },
      {
        title: 'Stanzas to and from other servers, a second',
        unit: 'ops',
        about: 'And those that came back to their senders.',
        queries: [
          rate('xmpp_federation_stanzas_total', 'direction', '{{direction}}'),
          rate('xmpp_federation_returned_total', 'job', 'returned'),
        ],
      },
      {
        title: 'Waiting for other servers',
        unit: 'none',
        about: 'Stanzas without a stream to go on.',
        queries: [gauge('xmpp_federation_waiting', 'instance', '{{instance}}')],
      },
      {
        title: 'Proofs of other servers, a second',
        unit: 'ops',
        about: 'How they proved who they are, or that they could not.',
        queries: [rate('xmpp_federation_proofs_total', 'direction, proof', '{{direction}} {{proof}}')],
      },
      {
        title: 'Time of a directory call',
        unit: 's',
        about: 'By what was asked. Empty where no directory is asked.',
        queries: [known(quantile(0.99, 'parley_directory_duration_seconds', 'operation', '{{operation}}'))],
      },
      {
        title: 'Directories',
        unit: 'none',
        about:
          'Servers that do not work, and entries that are missing and not taken for removed. Empty where there are no directories.',
        queries: [
          most('parley_directory_servers_away', 'directory', 'away, {{directory}}'),
          most('parley_directory_held', 'directory', 'held, {{directory}}'),
        ],
      },
      {
        title: 'Components',
        unit: 'none',
        about: 'Instances that are connected (none where there are no components), and stanzas that wait for them.',
        queries: [
          gauge('xmpp_component_instances', 'component', '{{component}}'),
          gauge('xmpp_component_waiting', 'job', 'waiting'),
        ],
      },
    ],
  ],
  [
    'Processes',
    [
      {
        title: 'Event-loop delay',
        unit: 's',
        about: 'Above 0.2 s a node has more to do than it can.',
        queries: [most('parley_eventloop_delay_seconds', 'instance', '{{instance}} p99', 'quantile="p99", ')],
      },
      {
        title: 'Processor time',
        unit: 'percentunit',
        about: 'Of one core.',
        queries: [rate('parley_cpu_time_seconds_total', 'instance', '{{instance}}')],
      },
      {
        title: 'Heap',
        unit: 'percentunit',
        about: 'Of what it may grow to.',
        queries: [
          {
            expr: `parley_memory_heap_bytes{state="used", ${OF}} / ignoring (state) parley_memory_heap_bytes{state="limit", ${OF}}`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Resident memory',
        unit: 'bytes',
        about: 'Of each process.',
        queries: [gauge('parley_memory_rss_bytes', 'instance', '{{instance}}')],
      },
      {
        title: 'File descriptors',
        unit: 'percentunit',
        about: 'Of those that there may be.',
        queries: [
          {
            expr: `parley_descriptors{state="used", ${OF}} / ignoring (state) parley_descriptors{state="limit", ${OF}}`,
            legend: '{{instance}}',
          },
        ],
      },
      {
        title: 'Certificates',
        unit: 'd',
        about: 'Days until they end.',
        queries: [{ expr: `min by (domain) (parley_certificate_remaining_days{${OF}})`, legend: '{{domain}}' }],
      },
      {
        title: 'Faults, and what the log and the audit stream lost, a second',
        unit: 'ops',
        about: 'All of it should stay at 0.',
        queries: [
          rate('parley_errors_total', 'instance', 'faults, {{instance}}'),
          rate('parley_log_dropped_total', 'instance', 'log, {{instance}}'),
          rate('parley_audit_dropped_total', 'instance', 'audit, {{instance}}'),
        ],
      },
      {
        title: 'Versions',
        unit: 'none',
        about: 'Nodes of each version.',
        queries: [gauge('parley_build', 'version', '{{version}}')],
      },
    ],
  ],
];
