import type { Collector, Sender } from './collector.ts';
import { JsonSpans } from './json-spans.ts';
import { ProtobufSpans } from './protobuf-spans.ts';
import type { SpanData, SpanSink } from './span-data.ts';
import type { ResourceAttributes, SpanEncoder } from './span-encoder.ts';

/** What waits for the collector: more is lost. */
const MOST_BYTES = 2 * 1024 * 1024;
/** As much goes at once, whenever it is together. */
const BATCH_BYTES = 256 * 1024;
/** Whatever there is goes after so much time. */
const BATCH_MS = 1000;

interface Batch {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Brings spans to the collector, one request after the other; while one is on its way, spans wait for the next one. */
export class SpanExport implements SpanSink {
  readonly #collector: Collector;
  readonly #encoder: SpanEncoder<SpanData>;
  readonly #sender: Sender<Batch>;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #over = false;

  constructor(collector: Collector, protocol: 'http/protobuf' | 'http/json', scope: string, about: ResourceAttributes) {
    this.#collector = collector;
    this.#encoder = protocol === 'http/json' ? new JsonSpans(scope, about) : new ProtobufSpans(scope, about);
    this.#sender = collector.sender<Batch>({
      path: 'v1/traces',
      name: 'span',
      count: ({ count }) => count,
      encode: ({ bytes }) => bytes,
    });
  }

  add(span: SpanData): void {
    if (this.#over || this.#encoder.size > MOST_BYTES) {
      this.#collector.lose(1);
      return;
    }
    this.#encoder.add(span);
    if (this.#sending !== undefined) return;
    if (this.#encoder.size >= BATCH_BYTES) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), BATCH_MS).unref();
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { count } = this.#encoder;
    if (count === 0 || this.#sending !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sending = promise;
    this.#sender.send({ count, bytes: this.#encoder.take() }, () => {
      this.#sending = undefined;
      if (this.#encoder.count > 0) this.#timer ??= setTimeout(() => this.#send(), BATCH_MS).unref();
      resolve();
    });
  }

  /** Sends what is left; resolves when that has arrived, or is given up. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#sending;
    this.#send();
    await this.#sending;
    clearTimeout(this.#timer);
    await this.#sender.close();
  }
}
