/** What a step is to the one that it is part of; the place is the number that OTLP has for it. */
export const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = Exclude<(typeof SPAN_KINDS)[number], 'unspecified'>;

export type AttributeValue = string | number | boolean;

/** A step that is over. */
export interface SpanData {
  /** 16 bytes in hexadecimal digits. */
  readonly traceId: string;
  /** 8 bytes in hexadecimal digits. */
  readonly spanId: string;
  /** The same of the step that it is part of; empty where it is none of any. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since 1970, with their parts. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Names and values in turn. */
  readonly attributes: readonly AttributeValue[];
  readonly failed: boolean;
}

/** Where spans go when they are over. What they are made of is taken over at once. */
export interface SpanSink {
  add(span: SpanData): void;
}
