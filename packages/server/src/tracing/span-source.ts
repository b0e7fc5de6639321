export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type AttributeValue = string | number | boolean;

/** Which span of which trace, in the hexadecimal text of W3C Trace Context. */
export interface SpanId {
  readonly traceId: string;
  readonly spanId: string;
}

/** Makes and keeps spans: OpenTelemetry, where it is loaded. Times are those of `performance.now()`. */
export interface SpanSource {
  /** `parent`: a span that this source has made, or the id of one of another node. */
  start(name: string, kind: SpanKind, at: number, parent: SpanId | undefined): SpanRecord;
}

/** One span, as its source keeps it. */
export interface SpanRecord extends SpanId {
  set(name: string, value: AttributeValue): void;
  /** What it is about went wrong. */
  fail(): void;
  end(at: number): void;
}
