import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { seriesOf, seriesSum } from '@parley/metrics/series-sum';
import type { ApplicationState, ClusterState } from '../cluster/cluster-state.ts';
import type { NotificationName } from '../mib/xmpp-server-mib.ts';
import { type Oid, textIndex } from '../protocol/oid.ts';

/** Something that managers are to hear of, and the row of the tables that it is about. */
export interface Event {
  readonly name: NotificationName;
  readonly index: Oid;
  /** For the log. */
  readonly about: string;
}

/** From when on something is unusual. */
export interface Thresholds {
  readonly loginFailuresPerMinute: number;
  readonly certificateDays: number;
  readonly waitingStanzas: number;
}

const MINUTE_MS = 60_000;
/** What waits on a node, as the alert ParleyQueueHigh of Prometheus adds it up. */
const QUEUES = [catalogue.federationWaiting, catalogue.componentWaiting, catalogue.clusterDeliveriesWaiting];

interface Failures {
  readonly count: number;
  readonly at: number;
}

/** What is remembered of something that has a row, as long as it has one. */
interface Remembered {
  /** What is told of it and not over. */
  readonly standing: Set<NotificationName>;
  failures?: Failures;
  /** Stanzas that were found to be missing, as far as that is told. */
  unaccounted: number;
}

/** Finds what has changed from one picture to the next. Whatever lasts is told once, and again after it was over. */
export class Watch {
  readonly #thresholds: Thresholds;
  #before: ClusterState | undefined;
  /** Of the cluster and the nodes, by their index. */
  #applications = new Map<number, Remembered>();
  /** Of what all nodes know together, by the metric and the name. */
  #named = new Map<string, Remembered>();

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  /** How many rows it remembers something of: those that there are. */
  get remembered(): number {
    return this.#applications.size + this.#named.size;
  }

  /** What there is to tell. The first picture tells of nothing that may have been so for long, but of what is wrong. */
  look(state: ClusterState): Event[] {
    const before = this.#before;
    this.#before = state;
    this.#forget(state);
    return [
      ...this.#keyspace(state),
      ...(before === undefined ? [] : this.#states(before, state)),
      ...state.nodes.flatMap((node) => this.#node(node, state.at)),
      ...this.#namedRows(state),
    ];
  }

  /** What has no row any more. While no node is heard, nobody knows what became of directories and the like. */
  #forget({ cluster, nodes }: ClusterState): void {
    const rows = new Set([cluster.index, ...nodes.map(({ index }) => index)]);
    this.#applications = kept(this.#applications, (index) => rows.has(index));
    if (!nodes.some(({ status }) => status !== 'down' && status !== 'restarting')) return;
    const names = new Set(
      NAMED.flatMap(({ metric, label }) =>
        [...seriesOf(cluster.metrics, metric)].map(({ labels }) => keyOf(metric, labels.get(label) ?? '')),
      ),
    );
    this.#named = kept(this.#named, (key) => names.has(key));
  }

  /** While nodes and agent have lost what they share, no node can tell so: it is told of the cluster. */
  #keyspace({ deaf, cluster }: ClusterState): Event[] {
    const name = turn(of(this.#applications, cluster.index), 'xmppKeyspaceLost', 'xmppKeyspaceBack', deaf);
    return name === undefined ? [] : [{ name, index: [cluster.index], about: cluster.name }];
  }

  #states(before: ClusterState, { nodes }: ClusterState): Event[] {
    const known = new Map(before.nodes.map((node) => [node.index, node.status]));
    return nodes.flatMap(({ index, name, status }) => {
      const was = known.get(index);
      if (was === status) return [];
      const here = status !== 'down' && status !== 'restarting';
      const gone = was === undefined || was === 'down' || was === 'restarting';
      const what = status === 'down' ? 'xmppNodeDown' : here && gone ? 'xmppNodeUp' : 'xmppNodeStateChange';
      return [{ name: what, index: [index], about: `${name}: ${status}` } as const];
    });
  }

  #node({ index, name, metrics, status }: ApplicationState, at: number): Event[] {
    const events: Event[] = [];
    if (status === 'down' || status === 'restarting') return events;
    const known = of(this.#applications, index);
    const away = seriesSum(metrics, catalogue.keyspaceState) === 0;
    const keyspace = turn(known, 'xmppKeyspaceLost', 'xmppKeyspaceBack', away);
    if (keyspace !== undefined) events.push({ name: keyspace, index: [index], about: name });
    const waiting = QUEUES.reduce((sum, queue) => sum + seriesSum(metrics, queue), 0);
    const high = turn(known, 'xmppQueueHigh', undefined, waiting > this.#thresholds.waitingStanzas);
    if (high !== undefined) events.push({ name: high, index: [index], about: `${name}: ${waiting} stanzas` });
    const unaccounted = seriesSum(metrics, catalogue.journalUnaccounted);
    if (unaccounted > known.unaccounted) {
      events.push({ name: 'xmppMessageLoss', index: [index], about: `${name}: ${unaccounted} stanzas` });
    }
    known.unaccounted = unaccounted; // a node that began anew counts from 0
    if (this.#isBurst(known, metrics, at)) {
      events.push({ name: 'xmppLoginFailureBurst', index: [index], about: name });
    }
    return events;
  }

  /** Once a minute at most. */
  #isBurst(known: Remembered, metrics: ApplicationState['metrics'], at: number): boolean {
    const count =
      seriesSum(metrics, catalogue.logins) - seriesSum(metrics, catalogue.logins, { outcome: ['success', 'aborted'] });
    const since = known.failures;
    if (since === undefined || count < since.count) {
      known.failures = { count, at };
      return false;
    }
    const burst = count - since.count > this.#thresholds.loginFailuresPerMinute;
    if (burst || at - since.at >= MINUTE_MS) known.failures = { count, at };
    return burst;
  }

  /** What has a name and is known to all nodes together: directories, identity providers, domains with certificates. */
  #namedRows({ cluster: { metrics } }: ClusterState): Event[] {
    return NAMED.flatMap(({ metric, label, begun, over, isSo }) =>
      [...seriesOf(metrics, metric)].flatMap(({ labels, series }) => {
        const about = labels.get(label) ?? '';
        const now = isSo(Number(series), this.#thresholds);
        const name = turn(of(this.#named, keyOf(metric, about)), begun, over, now);
        return name === undefined ? [] : [{ name, index: textIndex(about, true), about }];
      }),
    );
  }
}

interface Named {
  readonly metric: Definition;
  readonly label: string;
  readonly begun: NotificationName;
  readonly over: NotificationName | undefined;
  isSo(value: number, thresholds: Thresholds): boolean;
}

const NAMED: readonly Named[] = [
  {
    metric: catalogue.directoryServersAway,
    label: 'directory',
    begun: 'xmppDirectoryLost',
    over: 'xmppDirectoryBack',
    isSo: (away) => away > 0,
  },
  {
    metric: catalogue.providersAway,
    label: 'provider',
    begun: 'xmppProviderLost',
    over: 'xmppProviderBack',
    isSo: (away) => away > 0,
  },
  {
    metric: catalogue.certificateDays,
    label: 'domain',
    begun: 'xmppCertificateExpiring',
    over: undefined,
    isSo: (days, { certificateDays }) => days < certificateDays,
  },
];

const keyOf = (metric: Definition, name: string): string => `${metric.name} ${name}`;

function of<Key>(all: Map<Key, Remembered>, key: Key): Remembered {
  let known = all.get(key);
  if (known === undefined) {
    known = { standing: new Set(), unaccounted: 0 };
    all.set(key, known);
  }
  return known;
}

const kept = <Key>(all: Map<Key, Remembered>, isThere: (key: Key) => boolean): Map<Key, Remembered> =>
  new Map([...all].filter(([key]) => isThere(key)));

/** What to tell where something has begun, or is over. */
function turn(
  { standing }: Remembered,
  begun: NotificationName,
  over: NotificationName | undefined,
  now: boolean,
): NotificationName | undefined {
  if (now === standing.has(begun)) return undefined;
  if (now) standing.add(begun);
  else standing.delete(begun);
  return now ? begun : over;
}
