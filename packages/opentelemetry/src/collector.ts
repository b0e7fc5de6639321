import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import type { IExporterMetricsHelper, ISerializer } from '@opentelemetry/otlp-transformer';

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

/** What operators are told of the collector: once when it is away, and once when it is back. */
export interface CollectorEvents {
  away(reason: string): void;
  /** `lost`: spans that it was not given meanwhile. Of metrics nothing is lost: the next ones have all of it. */
  back(lost: number): void;
}

/** What is sent of one signal. */
export interface Signal<Content> {
  readonly path: 'v1/metrics' | 'v1/traces';
  /** What there is one of for each that `count` counts. */
  readonly name: IExporterMetricsHelper<Content>['name'];
  count(content: Content): number;
  /** The body of the request. */
  encode(content: Content): Uint8Array | undefined;
}

/** Takes one signal to the collector. */
export interface Sender<Content> {
  /** Calls back when the collector has it, or when it is given up; it is known then what operators are to be told. */
  send(content: Content, done: () => void): void;
  /** Resolves when nothing is on its way. */
  close(): Promise<void>;
}

/** Requests of one signal on their way at the same time. */
const CONCURRENT = 2;
const CONTENT_TYPES = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;

/** The collector, as far as it can be known whether it takes what it is given. */
export class Collector {
  readonly #address: CollectorAddress;
  readonly #events: CollectorEvents;
  #away = false;
  #lost = 0;
  #ending = false;

  constructor(address: CollectorAddress, events: CollectorEvents) {
    this.#address = address;
    this.#events = events;
  }

  /** What is sent from now on is the last of all: where the collector is away, nobody waits for it. */
  end(): void {
    this.#ending = true;
  }

  /** Spans that nobody could take. */
  lose(spans: number): void {
    this.#lost += spans;
  }

  /** The SDK's own sender, which tries again within its time; nothing of it is taken from the environment. */
  sender<Content>({ path, name, count, encode }: Signal<Content>): Sender<Content> {
    const { protocol, headers, authorities, timeoutMs } = this.#address;
    const serializer: ISerializer<Content, undefined> = {
      serializeRequest: encode,
      deserializeResponse: () => undefined,
    };
    const counter: IExporterMetricsHelper<Content> = { name, countItems: count };
    const options = {
      url: urlOf(this.#address, path),
      headers: async () => ({ ...headers, 'Content-Type': CONTENT_TYPES[protocol] }),
      timeoutMillis: timeoutMs,
      concurrencyLimit: CONCURRENT,
      compression: CompressionAlgorithm.NONE,
      agentFactory: httpAgentFactoryFromOptions({ keepAlive: true, maxSockets: CONCURRENT, ca: [...authorities] }),
    };
    const delegate = createOtlpHttpExportDelegate(
      options,
      serializer,
      `otlp_http_${name}_exporter`,
      counter,
      undefined,
    );
    return {
      send: (content, done) => {
        const spans = path === 'v1/traces' ? count(content) : 0;
        if (this.#ending && this.#away) {
          this.lose(spans);
          done();
          return;
        }
        delegate.export(content, ({ code, error }) => {
          if (code === 0) this.#took();
          else this.#refused(error, spans);
          done();
        });
      },
      close: () => delegate.shutdown(),
    };
  }

  #took(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#events.back(this.#lost);
    this.#lost = 0;
  }

  #refused(error: unknown, spans: number): void {
    this.#lost += spans;
    if (this.#away) return;
    this.#away = true;
    this.#events.away(reasonOf(error));
  }
}

/** A name that resolves to several addresses has an error for each, and no words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return 'no reason is known';
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? `it answers ${code} ${error.message}`.trim() : error.message;
}

/** OTLP/HTTP: the path of a signal comes behind that of the endpoint. */
export const urlOf = ({ endpoint }: Pick<CollectorAddress, 'endpoint'>, path: string): string =>
  new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`).href;
