import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace';

/** What operators are told of the collector: once when it is away, and once when it is back. */
export interface CollectorEvents {
  away(reason: string): void;
  /** `lost`: spans that it was not given meanwhile. Counters lose nothing: the next ones have all of them. */
  back(lost: number): void;
}

/** What the SDK calls when something was exported: its code 0 is success. */
type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];
const SUCCESS: ExportResult = { code: 0 };

/** Watches whether the collector takes what it is given. The SDK itself would have something to say at each attempt. */
export class Collector {
  readonly #events: CollectorEvents;
  #away = false;
  #lost = 0;

  constructor(events: CollectorEvents) {
    this.#events = events;
  }

  /** What the collector does with metrics. */
  watchMetrics<Exporter extends PushMetricExporter>(exporter: Exporter): Exporter {
    const send = exporter.export.bind(exporter);
    exporter.export = (metrics, done) => send(metrics, (result) => done(this.#seen(result, 0)));
    return exporter;
  }

  /** What it does with spans. */
  watchSpans<Exporter extends SpanExporter>(exporter: Exporter): Exporter {
    const send = exporter.export.bind(exporter);
    exporter.export = (spans, done) => send(spans, (result) => done(this.#seen(result, spans.length)));
    return exporter;
  }

  /** What is told to the SDK: it is dealt with. */
  #seen({ code, error }: ExportResult, spans: number): ExportResult {
    if (code === SUCCESS.code) {
      if (this.#away) this.#events.back(this.#lost);
      this.#away = false;
      this.#lost = 0;
    } else {
      this.#lost += spans;
      if (!this.#away) this.#events.away(reasonOf(error));
      this.#away = true;
    }
    return SUCCESS;
  }
}

/** A name that resolves to several addresses has an error for each, and no words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return 'no reason is known';
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? `it answers ${code} ${error.message}`.trim() : error.message;
}
