/** The attributes of what all spans are about: names and values. */
export type ResourceAttributes = Readonly<Record<string, string>>;

/**
 * Spans as a request of OTLP has them (opentelemetry-proto, trace/v1). Each is written when it is over: objects that waited
 * for the next request would be moved by the collector of garbage, and cost more than all else.
 */
export interface SpanEncoder<Span> {
  /** Of what is waiting, about. */
  readonly size: number;
  readonly count: number;
  add(span: Span): void;
  /** The request with all that was added; then there is nothing. */
  take(): Uint8Array;
}
