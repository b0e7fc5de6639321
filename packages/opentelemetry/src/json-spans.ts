import { nanosecondsText } from './nanoseconds.ts';
import { type AttributeValue, SPAN_KINDS, type SpanData } from './span-data.ts';
import type { ResourceAttributes, SpanEncoder } from './span-encoder.ts';

const STATUS_ERROR = 2;

/** As JSON, in the form that OTLP/HTTP gives it: ids are hexadecimal, and long numbers text. */
export class JsonSpans implements SpanEncoder<SpanData> {
  readonly #head: string;
  #text = '';
  count = 0;

  constructor(scope: string, resource: ResourceAttributes) {
    const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
    const about = JSON.stringify({ resource: { attributes } }).slice(0, -1);
    this.#head = `{"resourceSpans":[${about},"scopeSpans":[{"scope":${JSON.stringify({ name: scope })},"spans":[`;
  }

  get size(): number {
    return this.#text.length;
  }

  add(span: SpanData): void {
    this.#text += (this.#text === '' ? '' : ',') + JSON.stringify(asJson(span));
    this.count++;
  }

  take(): Uint8Array {
    const request = Buffer.from(`${this.#head}${this.#text}]}]}]}`);
    this.#text = '';
    this.count = 0;
    return request;
  }
}

function asJson({ traceId, spanId, parentId, name, kind, startedAt, endedAt, attributes, failed }: SpanData) {
  const list = [];
  for (let i = 0; i < attributes.length; i += 2) {
    list.push({ key: attributes[i], value: anyValue(attributes[i + 1] as AttributeValue) });
  }
  return {
    traceId,
    spanId,
    ...(parentId !== '' && { parentSpanId: parentId }),
    name,
    kind: SPAN_KINDS.indexOf(kind),
    startTimeUnixNano: nanosecondsText(startedAt),
    endTimeUnixNano: nanosecondsText(endedAt),
    attributes: list,
    ...(failed && { status: { code: STATUS_ERROR } }),
  };
}

function anyValue(value: AttributeValue) {
  if (typeof value === 'string') return { stringValue: value };
  return typeof value === 'boolean' ? { boolValue: value } : { doubleValue: value };
}
