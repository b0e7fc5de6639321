import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished } from 'vitest';
import { type Decoded, METRICS, TRACES } from './otlp-messages.ts';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  /** `service.instance.id`: the node that recorded it. */
  readonly node: string;
}

export interface CollectedPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly value: number;
  readonly buckets: readonly number[];
  readonly bounds: readonly number[];
}

export interface CollectedMetric {
  readonly name: string;
  readonly unit: string;
  readonly type: 'gauge' | 'sum' | 'histogram';
  readonly monotonic: boolean;
  readonly points: readonly CollectedPoint[];
  readonly node: string;
}

/** A collector of the tests' own: it takes OTLP over HTTP, as protobuf or JSON, and understands it. Ends with the test. */
export class OtlpCollector {
  /** Every byte that it was sent, as far as it is text. */
  text = '';
  readonly headers: IncomingHttpHeaders[] = [];
  readonly spans: CollectedSpan[] = [];
  /** Those of the last export of each node. */
  readonly metrics = new Map<string, readonly CollectedMetric[]>();
  /** What it answers with. */
  status = 200;
  /** It takes requests, and never answers. */
  silent = false;
  /** The paths of requests that it did not take. */
  readonly refused: string[] = [];
  #port = 0;
  #server: Server | undefined;
  #looks: (() => void)[] = [];

  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    collector.#port = await freePort(); // nobody gets it while the collector is gone
    await collector.open();
    onTestFinished(() => collector.close());
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, always on the same port. */
  async open(): Promise<void> {
    this.#server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      if (this.silent) return;
      const answer = { json: '{}', protobuf: '' };
      const form = /json/.test(request.headers['content-type'] ?? '') ? 'json' : 'protobuf';
      if (this.status === 200) this.#take(request.url ?? '', form, body, request.headers);
      else this.refused.push(request.url ?? '');
      response.writeHead(this.status, { 'content-type': request.headers['content-type'] }).end(answer[form]);
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** Resolves to what this finds in it, as soon as it finds something. */
  async find<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#looks.push(resolve));
    }
  }

  #take(path: string, form: 'json' | 'protobuf', body: Buffer, headers: IncomingHttpHeaders): void {
    this.text += body.toString('latin1');
    this.headers.push(headers);
    const request = path === '/v1/traces' ? TRACES : path === '/v1/metrics' ? METRICS : undefined;
    if (request === undefined) throw new Error(`Nobody exports to ${path}.`);
    const message = form === 'json' ? request.ofJson(body.toString()) : request.ofProtobuf(body);
    for (const each of listOf(message.resourceSpans)) this.spans.push(...spansOf(each));
    for (const each of listOf(message.resourceMetrics)) {
      const metrics = metricsOf(each);
      this.metrics.set(metrics[0]?.node ?? '', metrics);
    }
    for (const again of this.#looks.splice(0)) again();
  }
}

const listOf = (value: unknown): Decoded[] => (Array.isArray(value) ? value : []);

function attributesOf(list: unknown): Record<string, unknown> {
  return Object.fromEntries(listOf(list).map(({ key, value }) => [key, Object.values((value ?? {}) as Decoded)[0]]));
}

const nodeOf = (resource: unknown): string =>
  String(attributesOf((resource as Decoded | undefined)?.attributes)['service.instance.id']);

function spansOf({ resource, scopeSpans }: Decoded): CollectedSpan[] {
  const node = nodeOf(resource);
  return listOf(scopeSpans).flatMap(({ spans }) =>
    listOf(spans).map((span) => ({
      traceId: String(span.traceId),
      spanId: String(span.spanId),
      parentSpanId: String(span.parentSpanId ?? ''),
      name: String(span.name),
      kind: Number(span.kind),
      start: BigInt(span.startTimeUnixNano as string),
      end: BigInt(span.endTimeUnixNano as string),
      attributes: attributesOf(span.attributes),
      failed: (span.status as Decoded | undefined)?.code === 2,
      node,
    })),
  );
}

function metricsOf({ resource, scopeMetrics }: Decoded): CollectedMetric[] {
  const node = nodeOf(resource);
  return listOf(scopeMetrics).flatMap(({ metrics }) =>
    listOf(metrics).map((metric) => {
      const type = (['gauge', 'sum', 'histogram'] as const).find((each) => metric[each] !== undefined) ?? 'gauge';
      const data = metric[type] as Decoded;
      return {
        name: String(metric.name),
        unit: String(metric.unit),
        type,
        monotonic: data.isMonotonic === true,
        points: listOf(data.dataPoints).map((point) => ({
          attributes: attributesOf(point.attributes),
          value: Number(point.asDouble ?? point.sum ?? 0),
          buckets: ((point.bucketCounts ?? []) as unknown[]).map(Number),
          bounds: ((point.explicitBounds ?? []) as unknown[]).map(Number),
        })),
        node,
      };
    }),
  );
}
