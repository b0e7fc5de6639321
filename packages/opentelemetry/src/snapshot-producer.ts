import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import { catalogue } from '@parley/metrics/catalogue';
import { completeSeries } from '@parley/metrics/complete-series';
import type { Definition } from '@parley/metrics/definition';
import { seriesValues } from '@parley/metrics/family';
import type { HistogramSeries, Series, Snapshot } from '@parley/metrics/snapshot';

export const SCOPE = { name: 'parley' };

/** Hands the metrics of the catalogue to OpenTelemetry, which counts nothing itself: that would cost microseconds. */
export class SnapshotProducer implements MetricProducer {
  readonly #snapshot: () => Pick<Snapshot, 'at' | 'values'>;
  readonly #startTime: HrTime;

  /** `startedAt`: since when counters count; milliseconds since 1970. */
  constructor(snapshot: () => Pick<Snapshot, 'at' | 'values'>, startedAt: number) {
    this.#snapshot = snapshot;
    this.#startTime = hrTime(startedAt);
  }

  async collect(): Promise<CollectionResult> {
    const { at, values } = this.#snapshot();
    const times = { startTime: this.#startTime, endTime: hrTime(at) };
    const metrics = (Object.values(catalogue) as Definition[]).flatMap((definition) => {
      const metric = metricOf(definition, values[definition.name], times);
      return metric.dataPoints.length === 0 ? [] : [metric];
    });
    // the resource is that of the provider, whatever stands here
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope: SCOPE, metrics }] }, errors: [] };
  }
}

/** Seconds, and nanoseconds of the next one. */
const hrTime = (milliseconds: number): HrTime => [Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1e6];

type Times = Pick<DataPoint<number>, 'startTime' | 'endTime'>;

function metricOf(definition: Definition, values: Record<string, Series> | undefined, times: Times): MetricData {
  const { name, help: description, unit, kind, combine } = definition;
  const descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  // a gauge that is not told any more would be believed to be what it was: zeros are told, too
  const series = kind === 'gauge' ? [...completeSeries(definition, values)] : Object.entries(values ?? {});
  const points = series.map(([key, value]) => ({ ...times, attributes: attributesOf(definition, key), value }));
  if (kind === 'histogram') {
    const all = points.flatMap((point) => (isNumber(point) ? [] : [histogramOf(point)]));
    const dataPoints = all.filter(({ value }) => value.count > 0);
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  // JSON has no Infinity, which stands for what has no limit
  const dataPoints = points.filter(isNumber).filter(({ value }) => Number.isFinite(value));
  // what adds up over nodes is a sum, be it one that falls as well; there is none of what does not
  if (combine !== 'sum') return { ...common, dataPointType: DataPointType.GAUGE, dataPoints };
  return { ...common, dataPointType: DataPointType.SUM, isMonotonic: kind === 'counter', dataPoints };
}

const isNumber = (point: DataPoint<Series>): point is DataPoint<number> => typeof point.value === 'number';

function histogramOf(point: DataPoint<Series>): DataPoint<Histogram> {
  const { bounds, counts, sum } = point.value as HistogramSeries;
  const count = counts.reduce((total, each) => total + each, 0);
  return { ...point, value: { buckets: { boundaries: bounds, counts }, sum, count } };
}

function attributesOf({ labels }: Definition, key: string): Attributes {
  const names = Object.keys(labels);
  if (names.length === 0) return {};
  const values = seriesValues(key);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
