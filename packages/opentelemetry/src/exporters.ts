import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';

/** How to reach a collector. */
export interface CollectorAddress {
  /** Below it are v1/metrics and v1/traces. */
  readonly endpoint: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly headers: Readonly<Record<string, string>>;
  /** Certificates (PEM) of those who vouch for it. */
  readonly authorities: readonly string[];
  readonly timeoutMs: number;
}

export interface Exporters {
  readonly metrics: PushMetricExporter;
  readonly spans: SpanExporter;
}

/** Requests of one kind that may be under way at the same time: what comes meanwhile is lost. */
const CONCURRENT = 2;
/** AggregationTemporalityPreference.CUMULATIVE: each export has everything since the start. */
const CUMULATIVE = 1;

/** Makes what speaks to the collector, and loads only what does so in its protocol. */
export async function exporters(address: CollectorAddress): Promise<Exporters> {
  const { protocol, headers, authorities, timeoutMs } = address;
  const common = {
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    concurrencyLimit: CONCURRENT,
    httpAgentOptions: { keepAlive: true, maxSockets: CONCURRENT, ca: [...authorities] },
  };
  const [{ OTLPMetricExporter }, { OTLPTraceExporter }] =
    protocol === 'http/json'
      ? await Promise.all([
          import('@opentelemetry/exporter-metrics-otlp-http'),
          import('@opentelemetry/exporter-trace-otlp-http'),
        ])
      : await Promise.all([
          import('@opentelemetry/exporter-metrics-otlp-proto'),
          import('@opentelemetry/exporter-trace-otlp-proto'),
        ]);
  return {
    metrics: new OTLPMetricExporter({
      ...common,
      url: urlOf(address, 'v1/metrics'),
      temporalityPreference: CUMULATIVE,
    }),
    spans: new OTLPTraceExporter({ ...common, url: urlOf(address, 'v1/traces') }),
  };
}

/** OTLP §OTLP/HTTP Request: the path of a signal comes behind that of the endpoint. */
export const urlOf = ({ endpoint }: Pick<CollectorAddress, 'endpoint'>, path: string): string =>
  new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`).href;
