import {
  JsonMetricsSerializer,
  MetricsExporterMetricsHelper,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import { AggregationTemporality, type PushMetricExporter, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Collector } from './collector.ts';

/** Brings metrics to the collector: each time all that was counted since the start, so that one that is lost is no loss. */
export function metricExport(collector: Collector, protocol: 'http/protobuf' | 'http/json'): PushMetricExporter {
  const serializer = protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer;
  const sender = collector.sender<ResourceMetrics>({
    path: 'v1/metrics',
    name: 'metric_data_point',
    count: (metrics) => MetricsExporterMetricsHelper.countItems(metrics),
    encode: (metrics) => serializer.serializeRequest(metrics),
  });
  return {
    // whoever operates the node is told by the collector, and once: the SDK would have something to say each time
    export: (metrics, done) => sender.send(metrics, () => done({ code: 0 })),
    selectAggregationTemporality: () => AggregationTemporality.CUMULATIVE,
    forceFlush: async () => {},
    shutdown: () => sender.close(),
  };
}
