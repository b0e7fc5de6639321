import { nanoseconds } from './nanoseconds.ts';
import { type AttributeValue, SPAN_KINDS, type SpanData } from './span-data.ts';
import type { ResourceAttributes, SpanEncoder } from './span-encoder.ts';

// A tag is the number of the field and how it is written: 0 a varint, 1 eight bytes, 2 a length and as many bytes.
const tag = (field: number, form: 0 | 1 | 2): number => (field << 3) | form;

/** What a span takes at most beside its name and attributes. */
const FIXED = 128;
/** What an attribute takes at most beside its name and text. */
const ATTRIBUTE = 32;
const STATUS_ERROR = 2;
const LONG = 64;
const SMALLEST = 16 * 1024;

/** As protobuf. */
export class ProtobufSpans implements SpanEncoder<SpanData> {
  readonly #resource: Buffer;
  readonly #scope: Buffer;
  /** The fields `spans` of a ScopeSpans, one behind the other. */
  #bytes = Buffer.allocUnsafeSlow(SMALLEST);
  #end = 0;
  count = 0;

  constructor(scope: string, resource: ResourceAttributes) {
    // Resource { attributes = 1 { key = 1, value = 2 { string = 1 } } }, InstrumentationScope { name = 1 }
    const attributes = Object.entries(resource).map(([name, value]) =>
      message(1, message(1, Buffer.from(name)), message(2, message(1, Buffer.from(value)))),
    );
    this.#resource = message(1, ...attributes);
    this.#scope = message(1, message(1, Buffer.from(scope)));
  }

  get size(): number {
    return this.#end;
  }

  add(span: SpanData): void {
    const { attributes, name } = span;
    let most = FIXED + name.length * 3;
    for (const each of attributes) most += ATTRIBUTE + (typeof each === 'string' ? each.length * 3 : 0);
    if (this.#bytes.length - this.#end < most) this.#grow(most);
    // ScopeSpans.spans = 2; the length is known at the end, and takes three bytes whatever it is
    const length = this.#end + 1;
    this.#bytes[this.#end] = tag(2, 2);
    this.#end += 4;
    this.#span(span);
    this.#lengthAt(length, this.#end - length - 3);
    this.count++;
  }

  #span({ traceId, spanId, parentId, name, kind, startedAt, endedAt, attributes, failed }: SpanData): void {
    this.#hex(tag(1, 2), traceId);
    this.#hex(tag(2, 2), spanId);
    if (parentId !== '') this.#hex(tag(4, 2), parentId);
    this.#text(tag(5, 2), name);
    this.#bytes[this.#end++] = tag(6, 0);
    this.#bytes[this.#end++] = SPAN_KINDS.indexOf(kind);
    this.#time(tag(7, 1), startedAt);
    this.#time(tag(8, 1), endedAt);
    for (let i = 0; i < attributes.length; i += 2) {
      this.#attribute(attributes[i] as string, attributes[i + 1] as AttributeValue);
    }
    if (!failed) return;
    // Span.status = 15 { code = 3 }
    this.#bytes[this.#end++] = tag(15, 2);
    this.#bytes[this.#end++] = 2;
    this.#bytes[this.#end++] = tag(3, 0);
    this.#bytes[this.#end++] = STATUS_ERROR;
  }

  /** Span.attributes = 9 { key = 1, value = 2 { string 1, bool 2, double 4 } } */
  #attribute(name: string, value: AttributeValue): void {
    this.#bytes[this.#end] = tag(9, 2);
    const length = this.#end + 1;
    this.#end += 4;
    this.#text(tag(1, 2), name);
    this.#bytes[this.#end] = tag(2, 2);
    const inner = this.#end + 1;
    this.#end += 4;
    if (typeof value === 'string') this.#text(tag(1, 2), value);
    else if (typeof value === 'boolean') {
      this.#bytes[this.#end++] = tag(2, 0);
      this.#bytes[this.#end++] = value ? 1 : 0;
    } else {
      this.#bytes[this.#end++] = tag(4, 1);
      this.#end = this.#bytes.writeDoubleLE(value, this.#end);
    }
    this.#lengthAt(inner, this.#end - inner - 3);
    this.#lengthAt(length, this.#end - length - 3);
  }

  #hex(field: number, digits: string): void {
    this.#bytes[this.#end++] = field;
    this.#bytes[this.#end++] = digits.length / 2;
    this.#end += this.#bytes.write(digits, this.#end, 'hex');
  }

  #text(field: number, value: string): void {
    this.#bytes[this.#end] = field;
    const length = this.#end + 1;
    this.#end += 4;
    // what is written here is short and of ASCII, as good as always: a call of the machine's own costs more than that
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127 || i > LONG) {
        this.#end += this.#bytes.write(value.slice(i), this.#end, 'utf8');
        break;
      }
      this.#bytes[this.#end++] = code;
    }
    this.#lengthAt(length, this.#end - length - 3);
  }

  #time(field: number, milliseconds: number): void {
    const [high, low] = nanoseconds(milliseconds);
    this.#bytes[this.#end++] = field;
    this.#end = this.#bytes.writeUInt32LE(low, this.#end);
    this.#end = this.#bytes.writeUInt32LE(high, this.#end);
  }

  /** A varint may have more bytes than it needs. */
  #lengthAt(at: number, length: number): void {
    this.#bytes[at] = (length & 127) | 128;
    this.#bytes[at + 1] = ((length >>> 7) & 127) | 128;
    this.#bytes[at + 2] = length >>> 14;
  }

  #grow(most: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#end + most));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }

  /** ExportTraceServiceRequest { resource_spans = 1 { resource = 1, scope_spans = 2 { scope = 1, spans = 2 } } } */
  take(): Uint8Array {
    const spans = this.#bytes.subarray(0, this.#end);
    const request = message(1, this.#resource, message(2, this.#scope, spans));
    this.#end = 0;
    this.count = 0;
    return request;
  }
}

/** A field that is a message, of these parts. */
function message(field: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, { length }) => sum + length, 0);
  const head = [tag(field, 2)];
  for (let rest = length; ; rest >>>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(head), ...parts]);
}
