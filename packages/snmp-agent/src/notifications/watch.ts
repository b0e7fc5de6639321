import { catalogue } from '@parley/metrics/catalogue';
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

interface Failures {
  count: number;
  at: number;
}

/** Finds what has changed from one picture to the next. Whatever lasts is told once, and again after it was over. */
export class Watch {
  readonly #thresholds: Thresholds;
  #before: ClusterState | undefined;
  /** What is told and not over, by name and row. */
  readonly #standing = new Set<string>();
  readonly #failures = new Map<number, Failures>();
  /** Stanzas that were found to be missing, by node, as far as that is told. */
  readonly #unaccounted = new Map<number, number>();

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  /** What there is to tell. The first picture tells of nothing that may have been so for long, but of what is wrong. */
  look(state: ClusterState): Event[] {
    const before = this.#before;
    this.#before = state;
    return [
      ...this.#keyspace(state),
      ...(before === undefined ? [] : this.#states(before, state)),
      ...state.nodes.flatMap((node) => this.#node(node, state.at)),
      ...this.#directories(state),
      ...this.#certificates(state),
    ];
  }

  /** While nodes and agent have lost what they share, no node can tell so: it is told of the cluster. */
  #keyspace({ deaf, cluster }: ClusterState): Event[] {
    const name = this.#turn('xmppKeyspaceLost', 'xmppKeyspaceBack', [cluster.index], deaf);
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
    const away = seriesSum(metrics, catalogue.keyspaceState) === 0;
    const keyspace = this.#turn('xmppKeyspaceLost', 'xmppKeyspaceBack', [index], away);
    if (keyspace !== undefined) events.push({ name: keyspace, index: [index], about: name });
    const waiting =
      seriesSum(metrics, catalogue.federationWaiting) + seriesSum(metrics, catalogue.clusterDeliveriesWaiting);
    const high = this.#turn('xmppQueueHigh', undefined, [index], waiting > this.#thresholds.waitingStanzas);
    if (high !== undefined) events.push({ name: high, index: [index], about: `${name}: ${waiting} stanzas` });
    const unaccounted = seriesSum(metrics, catalogue.journalUnaccounted);
    if (unaccounted > (this.#unaccounted.get(index) ?? 0)) {
      events.push({ name: 'xmppMessageLoss', index: [index], about: `${name}: ${unaccounted} stanzas` });
    }
    this.#unaccounted.set(index, unaccounted); // a node that began anew counts from 0
    if (this.#isBurst(index, metrics, at)) {
      events.push({ name: 'xmppLoginFailureBurst', index: [index], about: name });
    }
    return events;
  }

  /** Once a minute at most. */
  #isBurst(index: number, metrics: ApplicationState['metrics'], at: number): boolean {
    const count =
      seriesSum(metrics, catalogue.logins) - seriesSum(metrics, catalogue.logins, { outcome: ['success', 'aborted'] });
    const since = this.#failures.get(index);
    if (since === undefined || count < since.count) {
      this.#failures.set(index, { count, at });
      return false;
    }
    const burst = count - since.count > this.#thresholds.loginFailuresPerMinute;
    if (burst || at - since.at >= MINUTE_MS) this.#failures.set(index, { count, at });
    return burst;
  }

  #directories({ cluster: { metrics } }: ClusterState): Event[] {
    return [...seriesOf(metrics, catalogue.directoryServersAway)].flatMap(({ labels, series }) => {
      const directory = labels.get('directory') ?? '';
      const index = textIndex(directory, true);
      const name = this.#turn('xmppDirectoryLost', 'xmppDirectoryBack', index, Number(series) > 0);
      return name === undefined ? [] : [{ name, index, about: directory }];
    });
  }

  #certificates({ cluster: { metrics } }: ClusterState): Event[] {
    return [...seriesOf(metrics, catalogue.certificateDays)].flatMap(({ labels, series }) => {
      const domain = labels.get('domain') ?? '';
      const index = textIndex(domain, true);
      const soon = Number(series) < this.#thresholds.certificateDays;
      const name = this.#turn('xmppCertificateExpiring', undefined, index, soon);
      return name === undefined ? [] : [{ name, index, about: domain }];
    });
  }

  /** What to tell where something has begun, or is over. */
  #turn(
    begun: NotificationName,
    over: NotificationName | undefined,
    index: Oid,
    now: boolean,
  ): NotificationName | undefined {
    const key = `${begun} ${index.join('.')}`;
    if (now === this.#standing.has(key)) return undefined;
    if (now) this.#standing.add(key);
    else this.#standing.delete(key);
    return now ? begun : over;
  }
}
