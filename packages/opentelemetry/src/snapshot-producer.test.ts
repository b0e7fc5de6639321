import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { Registry } from '@parley/metrics/registry';
import { expect, it } from 'vitest';
import { SnapshotProducer } from './snapshot-producer.ts';

const STARTED = 1_700_000_000_500;

async function told(registry: Registry) {
  const producer = new SnapshotProducer(() => registry.snapshot('', STARTED + 1000), STARTED);
  const { resourceMetrics, errors } = await producer.collect();
  expect(errors).toEqual([]);
  const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) => all);
  return new Map(metrics.map((metric) => [metric.descriptor.name, metric]));
}

it('tells counters as sums since the start, those that are not zero', async () => {
  const registry = new Registry();
  registry.metrics.stanzas.with({ kind: 'message', direction: 'in' }).add(3);
  const metrics = await told(registry);
  expect(metrics.get('xmpp.stanzas')).toMatchObject({
    descriptor: { unit: '{stanza}', description: expect.stringContaining('Stanzas received') },
    dataPointType: DataPointType.SUM,
    isMonotonic: true,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints: [
      {
        attributes: { kind: 'message', direction: 'in' },
        value: 3,
        startTime: [1_700_000_000, 500_000_000],
        endTime: [1_700_000_001, 500_000_000],
      },
    ],
  });
  expect(metrics.has('xmpp.offline.stored')).toBe(false);
});

it('tells gauges also when they are zero: as sums where they add up over nodes', async () => {
  const registry = new Registry();
  registry.metrics.keyspaceState.set(1);
  const metrics = await told(registry);
  expect(metrics.get('xmpp.sessions')).toMatchObject({
    isMonotonic: false,
    dataPoints: [{ attributes: {}, value: 0 }],
  });
  expect(metrics.get('xmpp.streams')?.dataPoints).toHaveLength(16);
  expect(metrics.get('parley.keyspace.state')).toMatchObject({ dataPointType: DataPointType.GAUGE });
});

it('tells histograms with their buckets', async () => {
  const registry = new Registry();
  registry.metrics.offlineSize.record(300);
  registry.metrics.offlineSize.record(1e9);
  expect((await told(registry)).get('xmpp.offline.size')).toMatchObject({
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: [
      {
        value: {
          buckets: { boundaries: [256, 1024, 4096, 16_384, 65_536, 262_144], counts: [0, 1, 0, 0, 0, 0, 1] },
          count: 2,
          sum: 300 + 1e9,
        },
      },
    ],
  });
});

it('tells nothing that is no number, and what nobody could foresee', async () => {
  const registry = new Registry();
  registry.metrics.descriptors.with({ state: 'limit' }).set(Number.POSITIVE_INFINITY);
  registry.metrics.certificateDays.with({ domain: 'a,b.example' }).set(-3);
  const metrics = await told(registry);
  expect(metrics.get('parley.descriptors')?.dataPoints).toMatchObject([{ attributes: { state: 'used' } }]);
  expect(metrics.get('parley.certificate.remaining')?.dataPoints).toMatchObject([
    { attributes: { domain: 'a,b.example' }, value: -3 },
  ]);
});
