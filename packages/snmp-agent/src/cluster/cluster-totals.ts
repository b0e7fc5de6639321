import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { seriesKey, seriesValues } from '@parley/metrics/family';
import { addHistogram, type HistogramSeries, type Series, type Snapshot } from '@parley/metrics/snapshot';

type Values = Snapshot['values'];

/** What of it goes over a restart of the agent; plain JSON. */
export interface TotalsRecord {
  readonly totals: Values;
  readonly nodes: readonly { readonly name: string; readonly startedAt: number; readonly values: Values }[];
  /** Nodes that are not known any more; an older version left them out. */
  readonly forgotten?: readonly (readonly [name: string, Forgotten])[];
}

interface Forgotten {
  readonly startedAt: number;
  /** When it was that it told something last. */
  readonly at: number;
}

type Told = Snapshot & { readonly startedAt: number };

interface Counted {
  readonly startedAt: number;
  readonly values: Values;
}

const growing = (Object.values(catalogue) as Definition[]).filter(({ kind }) => kind !== 'gauge');

/** Counters and histograms of all nodes together since they are watched: they never fall when a node begins anew, or goes. */
export class ClusterTotals {
  readonly #totals: Values;
  readonly #nodes: Map<string, Counted>;
  /** Nodes that are not known any more, the newest last: they may come back, and have been counted. */
  readonly #forgotten: Map<string, Forgotten>;

  constructor({ totals, nodes, forgotten = [] }: TotalsRecord = { totals: {}, nodes: [] }) {
    this.#totals = totals;
    this.#nodes = new Map(nodes.map(({ name, ...counted }) => [name, counted]));
    this.#forgotten = new Map(forgotten);
  }

  get values(): Values {
    return this.#totals;
  }

  get record(): TotalsRecord {
    const nodes = [...this.#nodes].map(([name, counted]) => ({ name, ...counted }));
    return { totals: this.#totals, nodes, forgotten: [...this.#forgotten] };
  }

  /** Adds what a node has counted since it was added last. */
  add({ node, startedAt, values }: Told): void {
    const before = this.#nodes.get(node);
    // of one that was forgotten, what it has counted in the meantime is not known: rather too little than twice
    const known =
      before?.startedAt === startedAt
        ? before.values
        : this.#forgotten.get(node)?.startedAt === startedAt
          ? values
          : {};
    const counted: Values = {};
    for (const definition of growing) {
      const { name } = definition;
      const series = values[name];
      if (series === undefined) continue;
      counted[name] = series;
      const totals = this.#totals[name] ?? Object.create(null);
      this.#totals[name] = totals;
      for (const [key, now] of Object.entries(series)) {
        const into = key in totals ? key : placeOf(totals, definition, key);
        totals[into] = plus(totals[into], difference(now, known[name]?.[key]));
      }
    }
    this.#nodes.set(node, { startedAt, values: counted });
  }

  /** What it had counted stays; it is not known any more. `at` is when it told something last. */
  forget(node: string, at = 0): void {
    const counted = this.#nodes.get(node);
    this.#nodes.delete(node);
    if (counted === undefined) return;
    this.#forgotten.delete(node);
    this.#forgotten.set(node, { startedAt: counted.startedAt, at });
  }

  /** Whether it is what a node told last that was forgotten since: it may be read for long after that. */
  isForgotten({ node, startedAt, at }: Told & { readonly at: number }): boolean {
    const forgotten = this.#forgotten.get(node);
    return forgotten?.startedAt === startedAt && forgotten.at === at;
  }

  /** Of those that were forgotten it knows the newest, and all that can still be read. */
  keepForgotten(told: ReadonlySet<string>): void {
    let most = this.#forgotten.size - MOST_FORGOTTEN;
    for (const name of this.#forgotten.keys()) {
      if (most <= 0) return;
      if (!told.has(name) && this.#forgotten.delete(name)) most--;
    }
  }
}

const MOST_FORGOTTEN = 256;

/** Of one metric. Nodes come and go, and each may have known other servers. */
const MOST_SERIES = 2000;

/** Where a series that is new is counted: with others, as each node does it, where there are too many. */
function placeOf(totals: Record<string, Series>, { labels }: Definition, key: string): string {
  const kinds = Object.values(labels);
  if (!kinds.includes('open') || Object.keys(totals).length < MOST_SERIES) return key;
  return seriesKey(seriesValues(key).map((value, index) => (kinds[index] === 'open' ? 'other' : value)));
}

/** All of it where it has begun anew. */
function difference(now: Series, before: Series | undefined): Series {
  if (typeof now === 'number') return typeof before === 'number' && before <= now ? now - before : now;
  if (typeof before !== 'object' || before.counts.length !== now.counts.length) return now;
  const counts = now.counts.map((count, index) => count - (before.counts[index] ?? 0));
  return counts.some((count) => count < 0) ? now : { ...now, counts, sum: now.sum - before.sum };
}

function plus(total: Series | undefined, more: Series): Series {
  if (typeof more === 'number') return (typeof total === 'number' ? total : 0) + more;
  if (!isHistogram(total)) return { ...more, counts: [...more.counts] };
  const sum = { ...total, counts: [...total.counts] };
  addHistogram(sum, more);
  return sum;
}

const isHistogram = (series: Series | undefined): series is HistogramSeries => typeof series === 'object';
