import { catalogue } from '@parley/metrics/catalogue';
import type { Association, NodeReport } from '@parley/metrics/node-report';
import { merge } from '@parley/metrics/snapshot';
import { accumulatedInbound, accumulatedOutbound, inboundAssociations, outboundAssociations } from './associations.ts';
import type { ClusterState, OperationalStatus, ShownAssociation } from './cluster-state.ts';
import { ClusterTotals, type TotalsRecord } from './cluster-totals.ts';

export interface TrackerSettings {
  /** Of the cluster. */
  readonly name: string;
  /** A node that was not heard for so long is down. */
  readonly downAfterMs: number;
  /** One that was told to stop is restarting for so long. */
  readonly restartMs: number;
  /** One that is down has a row for so long. */
  readonly forgetMs: number;
}

/** What goes over a restart of the agent; plain JSON. */
export interface TrackerRecord {
  readonly next: number;
  readonly indexes: readonly (readonly [name: string, index: number])[];
  readonly totals: TotalsRecord;
}

/** applIndex of the cluster. */
const CLUSTER = 1;
/** Best first: the cluster is in the best state of its nodes. */
const ORDER: readonly OperationalStatus[] = ['up', 'congested', 'quiescing', 'halted', 'restarting', 'down'];

interface Watched {
  readonly index: number;
  report: NodeReport;
  status: OperationalStatus;
  changedAt: number;
  /** When its report was new last; below 0 where that was before the agent started. */
  heardAt: number;
  /** From when on its silence counts: as long as the agent hears nobody, it is not the node's. */
  silentFrom: number;
  inboundAt: number;
  outboundAt: number;
  accumulated: readonly [number, number];
  associations: readonly ShownAssociation[];
  nextAssociation: number;
}

/** Makes one picture of what nodes report, and keeps those that are not heard any more in it for a while. */
export class ClusterTracker {
  readonly #settings: TrackerSettings;
  /** Of the agent's start, in milliseconds since 1970. */
  readonly #epoch: number;
  readonly #indexes: Map<string, number>;
  #next: number;
  readonly #totals: ClusterTotals;
  readonly #nodes = new Map<string, Watched>();
  #cluster: { status: OperationalStatus; changedAt: number; inboundAt: number; outboundAt: number };
  #deaf = false;
  #updatedAt = 0;

  constructor(settings: TrackerSettings, epoch: number, record?: TrackerRecord) {
    this.#settings = settings;
    this.#epoch = epoch;
    this.#indexes = new Map(record?.indexes);
    this.#next = record?.next ?? CLUSTER + 1;
    this.#totals = new ClusterTotals(record?.totals);
    this.#cluster = { status: 'down', changedAt: 0, inboundAt: 0, outboundAt: 0 };
  }

  get record(): TrackerRecord {
    return { next: this.#next, indexes: [...this.#indexes], totals: this.#totals.record };
  }

  /**
   * Takes in what all nodes that are heard have reported; undefined where the keyspace that they share does not answer, which keeps
   * them from taking anybody, too. `now` is the agent's time.
   */
  update(reports: readonly NodeReport[] | undefined, now: number): ClusterState {
    this.#deaf = reports === undefined;
    for (const report of reports ?? []) this.#take(report, now);
    for (const [name, watched] of this.#nodes) {
      if (this.#deaf) watched.silentFrom = isHeard(watched) ? now : watched.silentFrom + now - this.#updatedAt;
      this.#enter(watched, this.#statusOf(watched, now), now);
      if (now - watched.silentFrom > this.#patience(watched)) this.#forget(name);
    }
    // what an agent before this one knew, and nobody has heard of since
    if (!this.#deaf && now > this.#settings.forgetMs) {
      for (const name of this.#indexes.keys()) if (!this.#nodes.has(name)) this.#forget(name);
    }
    if (reports !== undefined && reports.length > 0) {
      this.#totals.keepForgotten(new Set(reports.map(({ node }) => node)));
    }
    this.#updatedAt = now;
    return this.#state(now);
  }

  #take(report: NodeReport, now: number): void {
    const { node: name } = report;
    let watched = this.#nodes.get(name);
    if (watched === undefined) {
      if (this.#totals.isForgotten(report)) return;
      const known = this.#indexes.get(name);
      const index = known ?? this.#next++;
      this.#indexes.set(name, index);
      const never = { changedAt: this.#time(report.startedAt), inboundAt: 0, outboundAt: 0 };
      const none = { accumulated: [0, 0], associations: [], nextAssociation: 1 } as const;
      const age = Math.max(0, this.#epoch + now - report.at); // it may have been told long before
      watched = { index, report, status: report.state, heardAt: now - age, silentFrom: now - age, ...never, ...none };
      this.#nodes.set(name, watched);
    } else if (report.at !== watched.report.at) {
      watched.heardAt = now;
      watched.silentFrom = now;
    } else return;
    watched.report = report;
    this.#totals.add(report);
    this.#noteActivity(watched, now);
    watched.associations = this.#numbered(watched, report.associations);
  }

  #noteActivity(watched: Watched, now: number): void {
    const { report, accumulated } = watched;
    const all = [accumulatedInbound(report), accumulatedOutbound(report)] as const;
    if (inboundAssociations(report) > 0 || all[0] !== accumulated[0]) watched.inboundAt = now;
    if (outboundAssociations(report) > 0 || all[1] !== accumulated[1]) watched.outboundAt = now;
    watched.accumulated = all;
    this.#cluster.inboundAt = Math.max(this.#cluster.inboundAt, watched.inboundAt);
    this.#cluster.outboundAt = Math.max(this.#cluster.outboundAt, watched.outboundAt);
  }

  /** An association keeps its number as long as it is there (RFC 2788, assocIndex). */
  #numbered(watched: Watched, associations: readonly Association[]): ShownAssociation[] {
    const before = new Map(watched.associations.map((each) => [keyOf(each), each.index]));
    return associations.map((each) => {
      const shown = { ...each, since: this.#time(each.since) };
      const index = before.get(keyOf(shown)) ?? watched.nextAssociation++;
      before.delete(keyOf(shown)); // two that look the same have two numbers
      return { ...shown, index };
    });
  }

  #statusOf({ report, silentFrom }: Watched, now: number): OperationalStatus {
    if (now - silentFrom <= this.#settings.downAfterMs) return this.#deaf ? 'halted' : report.state;
    return report.state === 'quiescing' ? 'restarting' : 'down';
  }

  /** Nobody misses one that has stopped in order and does not come back; one that was lost is shown to be. */
  #patience({ report }: Watched): number {
    const { downAfterMs, restartMs, forgetMs } = this.#settings;
    return downAfterMs + (report.state === 'quiescing' ? restartMs : forgetMs);
  }

  #enter(entered: { status: OperationalStatus; changedAt: number }, status: OperationalStatus, now: number): void {
    if (entered.status === status) return;
    entered.status = status;
    entered.changedAt = now;
  }

  #forget(name: string): void {
    this.#totals.forget(name, this.#nodes.get(name)?.report.at);
    this.#nodes.delete(name);
    this.#indexes.delete(name);
  }

  #state(now: number): ClusterState {
    const watched = [...this.#nodes.values()].sort((one, other) => one.index - other.index);
    const heard = watched.filter(isHeard);
    const best = ORDER.find((status) => watched.some((each) => each.status === status)) ?? 'down';
    this.#enter(this.#cluster, best, now);
    const gauges = merge(heard.map(({ report }) => report));
    const lost = this.#deaf ? { [catalogue.keyspaceState.name]: { '': 0 } } : {};
    const versions = [...new Set(heard.map(({ report }) => report.software))].sort();
    return {
      deaf: this.#deaf,
      at: Math.max(0, ...watched.map(({ heardAt }) => heardAt)),
      cluster: {
        ...this.#cluster,
        index: CLUSTER,
        name: this.#settings.name,
        software: versions.length > 1 ? `mixed ${versions.join('/')}` : (versions[0] ?? ''),
        startedAt: heard.length === 0 ? 0 : Math.min(...heard.map(({ report }) => this.#time(report.startedAt))),
        heardAt: Math.max(0, ...watched.map(({ heardAt }) => heardAt)),
        metrics: { values: { ...gauges.values, ...this.#totals.values, ...lost } },
        associations: [],
      },
      nodes: watched.map(({ report, index, status, changedAt, heardAt, inboundAt, outboundAt, associations }) => ({
        ...{ index, status, changedAt, heardAt, inboundAt, outboundAt },
        name: report.node,
        software: report.software,
        startedAt: this.#time(report.startedAt),
        metrics: report,
        associations: heard.some((each) => each.report === report) ? associations : [],
      })),
    };
  }

  /** A moment as the agent's time; 0 where it was before the agent started (RFC 2788, applUptime). */
  #time(sinceEpoch: number): number {
    return Math.max(0, sinceEpoch - this.#epoch);
  }
}

const isHeard = ({ status }: { status: OperationalStatus }): boolean => status !== 'down' && status !== 'restarting';

const keyOf = ({ kind, remote, port, since }: Association): string => `${kind} ${remote} ${port} ${since}`;
