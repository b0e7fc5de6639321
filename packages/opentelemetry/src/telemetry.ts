import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { Snapshot } from '@parley/metrics/snapshot';
import { Collector, type CollectorAddress, type CollectorEvents } from './collector.ts';
import { metricExport } from './metric-export.ts';
import { SCOPE, SnapshotProducer } from './snapshot-producer.ts';
import type { SpanSink } from './span-data.ts';
import { SpanExport } from './span-export.ts';

export interface TelemetryOptions {
  readonly collector: CollectorAddress;
  readonly events: CollectorEvents;
  /** What this process is called among others. */
  readonly service: { readonly name: string; readonly version: string; readonly instance: string };
  /** Undefined where the collector is to get no metrics. */
  readonly metrics:
    | { readonly intervalMs: number; readonly startedAt: number; snapshot(): Pick<Snapshot, 'at' | 'values'> }
    | undefined;
}

/** What a collector (OTLP) is told of this process. Nothing of it is global: several nodes may live in one process. */
export class Telemetry implements AsyncDisposable {
  readonly spans: SpanSink;
  readonly #collector: Collector;
  readonly #spans: SpanExport;
  readonly #meters: MeterProvider | undefined;
  readonly #timeoutMs: number;

  constructor({ collector: address, events, service, metrics }: TelemetryOptions) {
    const { protocol, timeoutMs } = address;
    const collector = new Collector(address, events);
    this.#collector = collector;
    const about = {
      'service.name': service.name,
      'service.version': service.version,
      'service.instance.id': service.instance,
    };
    this.#timeoutMs = timeoutMs;
    this.#spans = new SpanExport(collector, protocol, SCOPE.name, about);
    this.spans = this.#spans;
    if (metrics === undefined) return;
    const reader = new PeriodicExportingMetricReader({
      exporter: metricExport(collector, protocol),
      exportIntervalMillis: metrics.intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, metrics.intervalMs),
      metricProducers: [new SnapshotProducer(() => metrics.snapshot(), metrics.startedAt)],
    });
    this.#meters = new MeterProvider({ resource: resourceFromAttributes(about), readers: [reader] });
  }

  /** Gives the collector what is left, as long as it takes that in its time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#timeoutMs);
    this.#collector.end();
    await Promise.race([Promise.allSettled([this.#spans.close(), this.#meters?.shutdown()]), late]);
    clearTimeout(timer);
  }
}
