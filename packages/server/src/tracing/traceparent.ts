/** Which span of which trace, in hexadecimal digits. */
export interface SpanName {
  readonly traceId: string;
  readonly spanId: string;
}

// W3C Trace Context §3.2: version-traceid-parentid-flags; a later version may have more behind them
const FORM = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-|$)/;

/** Names a span that is recorded. */
export const traceparent = ({ traceId, spanId }: SpanName): string => `00-${traceId}-${spanId}-01`;

/** The span that it names; undefined where it names none. */
export function parseTraceparent(text: string): SpanName | undefined {
  const [, traceId, spanId] = FORM.exec(text) ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}
