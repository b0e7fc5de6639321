// OTLP's messages as they are published (opentelemetry-proto), in the code that OpenTelemetry has generated of them.
import { createRequire } from 'node:module';

export type Decoded = { [name: string]: unknown };

/** A type of messages, as protobuf.js makes it. */
interface MessageType {
  decode(reader: Reader): object;
  fromObject(json: Decoded): object;
  toObject(message: object, options: object): Decoded;
}

interface Reader {
  /** Called for each field that the message does not have. */
  skipType(wireType: number): void;
}

interface Services {
  readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: MessageType } };
  readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: MessageType } };
}

const require = createRequire(import.meta.url);
const GENERATED = '@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js';
const { opentelemetry } = require(GENERATED) as { opentelemetry: { proto: { collector: Services } } };
const { trace, metrics } = opentelemetry.proto.collector;
/** The protobuf.js that it uses. */
const { Reader } = createRequire(require.resolve(GENERATED))('protobufjs/minimal') as {
  Reader: { create(bytes: Uint8Array): Reader };
};

/** A kind of request of OTLP/HTTP. Each form is checked against what is published, and told as JSON has it. */
export class OtlpRequest {
  readonly #type: MessageType;

  constructor(type: MessageType) {
    this.#type = type;
  }

  /** Throws where it is none, or has a field that nobody knows. */
  ofProtobuf(bytes: Uint8Array): Decoded {
    const reader = Reader.create(bytes);
    reader.skipType = () => {
      throw new Error('A field is none of the published messages.');
    };
    return hexadecimal(this.#type.toObject(this.#type.decode(reader), { longs: String })) as Decoded;
  }

  /** Throws where it is none, or has a name or a type that is another in the published messages. */
  ofJson(text: string): Decoded {
    const said = JSON.parse(text) as Decoded;
    // identifiers are hexadecimal in OTLP's JSON, which has as many letters as base64 needs to leave them alone
    const known = this.#type.toObject(this.#type.fromObject(said), { longs: String, bytes: String });
    const fault = difference(known, said);
    if (fault !== undefined) throw new Error(`The published messages have no ${fault}.`);
    return said;
  }
}

export const TRACES = new OtlpRequest(trace.v1.ExportTraceServiceRequest);
export const METRICS = new OtlpRequest(metrics.v1.ExportMetricsServiceRequest);

/** Bytes are identifiers. */
function hexadecimal(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (Array.isArray(value)) return value.map(hexadecimal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hexadecimal(each)]));
}

/** Where something was said that is not known as it was said; lists that are empty may be left out. */
function difference(known: unknown, said: unknown, path = ''): string | undefined {
  if (typeof said !== 'object' || said === null) {
    // integers of 64 bits may be numbers as well (the JSON mapping of Protocol Buffers)
    const same = known === said || (typeof known === 'string' && typeof said === 'number' && known === String(said));
    return same ? undefined : `${path} ${JSON.stringify(said)}`;
  }
  for (const [name, each] of Object.entries(said)) {
    if (Array.isArray(each) && each.length === 0) continue;
    const fault = difference((known as Decoded | undefined)?.[name], each, `${path}/${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
