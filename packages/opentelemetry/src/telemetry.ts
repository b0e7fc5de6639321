import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Snapshot } from '@parley/metrics/snapshot';
import { Collector, type CollectorEvents } from './collector.ts';
import { type CollectorAddress, exporters } from './exporters.ts';
import { SCOPE, SnapshotProducer } from './snapshot-producer.ts';
import { SpanRecorder } from './span-recorder.ts';

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

/** Spans that wait for the collector: more are dropped. */
const MOST_SPANS = 4096;
const BATCH = 512;
const BATCH_MS = 1000;
const LONGEST_ATTRIBUTE = 256;

/** What a collector (OTLP) is told of this process. Nothing of it is global: several nodes may live in one process. */
export class Telemetry implements AsyncDisposable {
  readonly spans: SpanRecorder;
  readonly #tracers: TracerProvider;
  readonly #meters: MeterProvider | undefined;
  readonly #timeoutMs: number;

  private constructor(tracers: TracerProvider, meters: MeterProvider | undefined, timeoutMs: number) {
    this.#tracers = tracers;
    this.#meters = meters;
    this.#timeoutMs = timeoutMs;
    this.spans = new SpanRecorder(tracers.getTracer(SCOPE.name));
  }

  static async start({ collector: address, events, service, metrics }: TelemetryOptions): Promise<Telemetry> {
    const { timeoutMs } = address;
    const collector = new Collector(events);
    const { metrics: metricExporter, spans } = await exporters(address);
    const resource = resourceFromAttributes({
      'service.name': service.name,
      'service.version': service.version,
      'service.instance.id': service.instance,
    });
    const processor = new BatchSpanProcessor({
      exporter: collector.watchSpans(spans),
      maxQueueSize: MOST_SPANS,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: BATCH_MS,
      exportTimeoutMillis: timeoutMs,
    });
    const tracers = new TracerProvider({
      resource,
      sampler: new AlwaysOnSampler(),
      spanProcessors: [processor],
      spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    });
    if (metrics === undefined) return new Telemetry(tracers, undefined, timeoutMs);
    const reader = new PeriodicExportingMetricReader({
      exporter: collector.watchMetrics(metricExporter),
      exportIntervalMillis: metrics.intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, metrics.intervalMs),
      metricProducers: [new SnapshotProducer(() => metrics.snapshot(), metrics.startedAt)],
    });
    return new Telemetry(tracers, new MeterProvider({ resource, readers: [reader] }), timeoutMs);
  }

  /** Gives the collector what is left, as long as it takes that in its time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#timeoutMs);
    const done = Promise.allSettled([this.#tracers.shutdown(), this.#meters?.shutdown()]);
    await Promise.race([done, late]);
    clearTimeout(timer);
  }
}
