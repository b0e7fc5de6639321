import { type Catalogue, catalogue } from './catalogue.ts';
import { Counter } from './counter.ts';
import type { Definition, Kind, Labels } from './definition.ts';
import { Family } from './family.ts';
import { Gauge } from './gauge.ts';
import { Histogram } from './histogram.ts';
import { type Series, SNAPSHOT_VERSION, type Snapshot } from './snapshot.ts';

type Instrument<K extends Kind> = K extends 'counter' ? Counter : K extends 'gauge' ? Gauge : Histogram;

type Handle<D> =
  D extends Definition<infer K, infer L>
    ? string extends keyof L
      ? Instrument<K>
      : keyof L extends never
        ? Instrument<K>
        : Family<Instrument<K>, L>
    : never;

/** A handle for each metric of the catalogue: the instrument itself, or a family where it has labels. */
export type Metrics = { readonly [Key in keyof Catalogue]: Handle<Catalogue[Key]> };

/** The metrics of one node. Several nodes may live in one process, so nothing here is global. */
export class Registry {
  readonly metrics: Metrics;
  readonly #families: [Definition, Family<Counter | Gauge | Histogram, Labels>][] = [];

  constructor() {
    const handles: Record<string, unknown> = Object.create(null);
    for (const [key, definition] of Object.entries(catalogue) as [string, Definition][]) {
      const family = new Family(definition, () => instrument(definition));
      this.#families.push([definition, family]);
      handles[key] = Object.keys(definition.labels).length === 0 ? family.with({}) : family;
    }
    this.metrics = handles as unknown as Metrics;
  }

  /** All values now. `node` names this node where several are looked at together. */
  snapshot(node = '', at = Date.now()): Snapshot {
    const values: Snapshot['values'] = {};
    for (const [definition, family] of this.#families) {
      const series: Record<string, Series> = Object.create(null);
      for (const [key, child] of family.entries()) {
        const value = seriesOf(child);
        if (value !== 0 || definition.combine !== 'sum') series[key] = value;
      }
      values[definition.name] = series;
    }
    return { version: SNAPSHOT_VERSION, node, at, values };
  }
}

const seriesOf = (child: Counter | Gauge | Histogram): Series =>
  child instanceof Histogram ? { bounds: [...child.bounds], counts: child.counts, sum: child.sum } : child.value;

function instrument(definition: Definition): Counter | Gauge | Histogram {
  if (definition.kind === 'counter') return new Counter();
  return definition.kind === 'gauge' ? new Gauge() : new Histogram(definition.bounds);
}
