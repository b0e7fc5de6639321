import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { prometheusName } from '@parley/metrics/prometheus';
import type { CollectedMetric } from '../services/otlp-collector.ts';

const DEFINITIONS = new Map((Object.values(catalogue) as Definition[]).map((each) => [each.name, each]));

/** What a collector was told, in Prometheus' words. */
export function asPrometheus(metrics: readonly CollectedMetric[]): Map<string, number> {
  const series = new Map<string, number>();
  for (const { name, points } of metrics) {
    const definition = DEFINITIONS.get(name) as Definition;
    for (const { attributes, value, buckets, bounds } of points) {
      const labels = Object.entries(attributes).map(([key, text]) => `${key}="${text}"`);
      const key = (suffix: string, more: string[] = []) => {
        const all = [...labels, ...more];
        return `${prometheusName(definition)}${suffix}${all.length === 0 ? '' : `{${all.join(',')}}`}`;
      };
      if (definition.kind !== 'histogram') {
        series.set(key(''), value);
        continue;
      }
      let total = 0;
      for (const [index, count] of buckets.entries()) {
        total += count;
        series.set(key('_bucket', [`le="${bounds[index] ?? '+Inf'}"`]), total);
      }
      series.set(key('_sum'), value).set(key('_count'), total);
    }
  }
  return series;
}
