import {
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/** What is to be added to `performance.now()` to have the milliseconds since 1970. */
export type Clock = number;

/**
 * All spans of a trace in this process are timed by one look at the clock of the machine: with one for each, as the SDK
 * takes it, a step would begin up to a millisecond before the one that it is part of.
 */
const clock = (): Clock => Date.now() - performance.now();

export function timeOf(at: number, offset: Clock): HrTime {
  const milliseconds = at + offset;
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}

interface SpanId {
  readonly traceId: string;
  readonly spanId: string;
}

/** Makes spans of OpenTelemetry; whoever asks for one has decided that it is wanted. */
export class SpanRecorder {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Times are those of `performance.now()`. `parent`: one of these, or the id of a span of another node. */
  start(name: string, kind: keyof typeof KINDS, at: number, parent: SpanId | undefined): RecordedSpan {
    const offset = parent instanceof RecordedSpan ? parent.clock : clock();
    const options = { kind: KINDS[kind], startTime: timeOf(at, offset) };
    return new RecordedSpan(this.#tracer.startSpan(name, options, contextOf(parent)), offset);
  }
}

function contextOf(parent: SpanId | undefined) {
  if (parent === undefined) return ROOT_CONTEXT;
  if (parent instanceof RecordedSpan) return trace.setSpan(ROOT_CONTEXT, parent.span);
  const { traceId, spanId } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

/** A span, until it ends. */
export class RecordedSpan implements SpanId {
  readonly span: Span;
  readonly clock: Clock;

  constructor(span: Span, clock: Clock) {
    this.span = span;
    this.clock = clock;
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  get spanId(): string {
    return this.span.spanContext().spanId;
  }

  set(name: string, value: string | number | boolean): void {
    this.span.setAttribute(name, value);
  }

  fail(): void {
    this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(at: number): void {
    this.span.end(timeOf(at, this.clock));
  }
}
