import { catalogue } from './catalogue.ts';
import type { Definition } from './definition.ts';

export const SNAPSHOT_VERSION = 1;

export interface HistogramSeries {
  bounds: number[];
  /** One more than there are bounds; not cumulated. */
  counts: number[];
  sum: number;
}

export type Series = number | HistogramSeries;

/**
 * All metrics of a node, or of several together, at one moment; plain JSON.
 * `values` has for each metric's name its series by key (see seriesKey; '' without labels). A series of a metric that
 * adds up is left out while it is zero.
 */
export interface Snapshot {
  version: number;
  node: string;
  /** Milliseconds since 1970. */
  at: number;
  values: Record<string, Record<string, Series>>;
}

/** One snapshot of all the nodes' together, each metric as the catalogue says that it adds up. */
export function merge(snapshots: readonly Snapshot[], node = ''): Snapshot {
  const values: Snapshot['values'] = Object.create(null);
  for (const definition of Object.values(catalogue) as Definition[]) {
    const merged: Record<string, Series> = Object.create(null);
    for (const snapshot of snapshots) {
      for (const [key, series] of Object.entries(snapshot.values[definition.name] ?? {})) {
        merged[key] = combine(definition, merged[key], series);
      }
    }
    values[definition.name] = merged;
  }
  return { version: SNAPSHOT_VERSION, node, at: Math.max(0, ...snapshots.map(({ at }) => at)), values };
}

function combine(definition: Definition, one: Series | undefined, other: Series): Series {
  if (definition.kind === 'histogram') {
    const sum = isHistogram(one) ? one : emptyHistogram(definition.bounds);
    if (isHistogram(other)) addHistogram(sum, other);
    return sum;
  }
  if (typeof other !== 'number') return one ?? 0;
  if (typeof one !== 'number') return other;
  if (definition.combine === 'sum') return one + other;
  return definition.combine === 'max' ? Math.max(one, other) : Math.min(one, other);
}

const isHistogram = (series: Series | undefined): series is HistogramSeries => typeof series === 'object';

const emptyHistogram = (bounds: readonly number[]): HistogramSeries => ({
  bounds: [...bounds],
  counts: new Array<number>(bounds.length + 1).fill(0),
  sum: 0,
});

/** Adds one to another. A node of another version may have other buckets: each of its counts goes where its upper bound falls. */
export function addHistogram(into: HistogramSeries, from: HistogramSeries): void {
  for (const [index, count] of from.counts.entries()) {
    const bound = from.bounds[index] ?? Number.POSITIVE_INFINITY;
    const bucket = into.bounds.findIndex((upper) => bound <= upper);
    const target = bucket === -1 ? into.counts.length - 1 : bucket;
    into.counts[target] = (into.counts[target] ?? 0) + count;
  }
  into.sum += from.sum;
}

/** Checks what another process wrote. Throws an Error that says what is wrong; unknown metrics are left out. */
export function parseSnapshot(text: string): Snapshot {
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed)) throw new Error('The metrics snapshot is not an object.');
  if (parsed.version !== SNAPSHOT_VERSION) {
    throw new Error(`The metrics snapshot has version ${String(parsed.version)}; this one reads ${SNAPSHOT_VERSION}.`);
  }
  const { node, at, values } = parsed;
  if (typeof node !== 'string' || !isCount(at) || !isRecord(values)) {
    throw new Error('The metrics snapshot lacks its node, time or values.');
  }
  const known: Snapshot['values'] = Object.create(null);
  for (const definition of Object.values(catalogue) as Definition[]) {
    const series = values[definition.name];
    if (series !== undefined) known[definition.name] = parseSeries(definition, series);
  }
  return { version: SNAPSHOT_VERSION, node, at, values: known };
}

function parseSeries(definition: Definition, value: unknown): Record<string, Series> {
  if (!isRecord(value)) throw new Error(`${definition.name} in the metrics snapshot is not an object.`);
  const all: Record<string, Series> = Object.create(null);
  for (const [key, series] of Object.entries(value)) {
    if (series === null) continue; // what JSON makes of Infinity
    const right = definition.kind === 'histogram' ? isHistogramSeries(series) : Number.isFinite(series);
    if (!right) throw new Error(`${definition.name} in the metrics snapshot is not a ${definition.kind}.`);
    all[key] = series as Series;
  }
  return all;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;

function isHistogramSeries(value: unknown): value is HistogramSeries {
  if (!isRecord(value)) return false;
  const { bounds, counts, sum } = value;
  return (
    Array.isArray(bounds) &&
    Array.isArray(counts) &&
    counts.length === bounds.length + 1 &&
    bounds.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > bounds[index - 1])) &&
    counts.every(isCount) &&
    Number.isFinite(sum)
  );
}
