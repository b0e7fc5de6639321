// What OTLP's messages hold, of which the tests want to know, by the numbers of opentelemetry-proto 1.x.

type Kind = 'text' | 'hex' | 'double' | 'fixed64' | 'int' | 'bool' | Schema;
interface Schema {
  readonly [field: number]: readonly [name: string, kind: Kind | (() => Schema), many?: 'many'];
}

export type Decoded = { [name: string]: unknown };

const anyValue: Schema = {
  1: ['stringValue', 'text'],
  2: ['boolValue', 'bool'],
  3: ['intValue', 'int'],
  4: ['doubleValue', 'double'],
};
const keyValue: Schema = { 1: ['key', 'text'], 2: ['value', anyValue] };
const resource: Schema = { 1: ['attributes', keyValue, 'many'] };
const scope: Schema = { 1: ['name', 'text'] };
const times = { 2: ['startTimeUnixNano', 'fixed64'], 3: ['timeUnixNano', 'fixed64'] } as const;
const numberPoint: Schema = { ...times, 4: ['asDouble', 'double'], 7: ['attributes', keyValue, 'many'] };
const histogramPoint: Schema = {
  ...times,
  4: ['count', 'fixed64'],
  5: ['sum', 'double'],
  6: ['bucketCounts', 'fixed64', 'many'],
  7: ['explicitBounds', 'double', 'many'],
  9: ['attributes', keyValue, 'many'],
};
const gauge: Schema = { 1: ['dataPoints', numberPoint, 'many'] };
const sum: Schema = { ...gauge, 2: ['aggregationTemporality', 'int'], 3: ['isMonotonic', 'bool'] };
const histogram: Schema = { 1: ['dataPoints', histogramPoint, 'many'], 2: ['aggregationTemporality', 'int'] };
const metric: Schema = {
  1: ['name', 'text'],
  2: ['description', 'text'],
  3: ['unit', 'text'],
  5: ['gauge', gauge],
  7: ['sum', sum],
  9: ['histogram', histogram],
};
const scopeMetrics: Schema = { 1: ['scope', scope], 2: ['metrics', metric, 'many'] };
const resourceMetrics: Schema = { 1: ['resource', resource], 2: ['scopeMetrics', scopeMetrics, 'many'] };
const span: Schema = {
  1: ['traceId', 'hex'],
  2: ['spanId', 'hex'],
  4: ['parentSpanId', 'hex'],
  5: ['name', 'text'],
  6: ['kind', 'int'],
  7: ['startTimeUnixNano', 'fixed64'],
  8: ['endTimeUnixNano', 'fixed64'],
  9: ['attributes', keyValue, 'many'],
  15: ['status', { 3: ['code', 'int'] }],
};
const scopeSpans: Schema = { 1: ['scope', scope], 2: ['spans', span, 'many'] };
const resourceSpans: Schema = { 1: ['resource', resource], 2: ['scopeSpans', scopeSpans, 'many'] };

/** A request of OTLP/HTTP, as JSON has it. */
export const decodeMetrics = (bytes: Buffer): Decoded =>
  decode(bytes, { 1: ['resourceMetrics', resourceMetrics, 'many'] });
export const decodeTraces = (bytes: Buffer): Decoded => decode(bytes, { 1: ['resourceSpans', resourceSpans, 'many'] });

const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];

function decode(bytes: Buffer, schema: Schema): Decoded {
  const message: Decoded = Object.create(null);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    const start = at;
    let raw: Buffer;
    if (wire === VARINT) {
      varint();
      raw = bytes.subarray(start, at);
    } else {
      const size = wire === BYTES ? varint() : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : Number.NaN;
      raw = bytes.subarray(at, at + size);
      if (raw.length !== size) throw new RangeError(`A field of wire type ${wire} at ${start} is cut off.`);
      at += size;
    }
    const field = schema[tag >>> 3];
    if (field === undefined) continue;
    const [name, kind, many] = field;
    const packed = many !== undefined && (kind === 'double' || kind === 'fixed64') && wire === BYTES;
    const parts = packed ? Array.from({ length: raw.length / 8 }, (_, i) => raw.subarray(i * 8, i * 8 + 8)) : [raw];
    for (const part of parts) {
      const value = fieldOf(part, kind);
      if (many === undefined) {
        message[name] = value;
        continue;
      }
      message[name] ??= [];
      (message[name] as unknown[]).push(value);
    }
  }
  return message;
}

function fieldOf(raw: Buffer, kind: Kind | (() => Schema)): unknown {
  switch (kind) {
    case 'text':
      return raw.toString('utf8');
    case 'hex':
      return raw.toString('hex');
    case 'double':
      return raw.readDoubleLE();
    case 'fixed64':
      return String(raw.readBigUInt64LE());
    case 'int':
    case 'bool': {
      const value = raw.reduceRight((sum, byte) => sum * 128 + (byte & 127), 0);
      return kind === 'bool' ? value === 1 : value;
    }
    default:
      return decode(raw, typeof kind === 'function' ? kind() : kind);
  }
}
