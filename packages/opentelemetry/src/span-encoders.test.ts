import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRACES } from '../../../tests/services/otlp-messages.ts';
import { JsonSpans } from './json-spans.ts';
import { ProtobufSpans } from './protobuf-spans.ts';
import { type AttributeValue, SPAN_KINDS, type SpanData, type SpanKind } from './span-data.ts';

const RESOURCE = { 'service.name': 'parley', 'service.instance.id': 'née' };
const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString('hex'));
const text = fc.string({ unit: 'binary', maxLength: 300 });

const spans: fc.Arbitrary<SpanData> = fc.record({
  traceId: id(16),
  spanId: id(8),
  parentId: fc.oneof(fc.constant(''), id(8)),
  name: text,
  kind: fc.constantFrom(...(SPAN_KINDS.slice(1) as SpanKind[])),
  startedAt: fc.double({ min: 1000, max: 4e12, noNaN: true }),
  endedAt: fc.double({ min: 1000, max: 4e12, noNaN: true }),
  attributes: fc
    .array(
      fc.tuple(
        text,
        fc.oneof(
          text,
          fc.boolean(),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        ),
      ),
    )
    .map((pairs) => pairs.flat() as AttributeValue[]),
  failed: fc.boolean(),
});

/** What OTLP's JSON has of it: protobuf leaves out what is empty. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each) => (Array.isArray(each) && each.length === 0 ? undefined : each)));

describe('spans', () => {
  it('are the same as protobuf and as JSON', () => {
    const [protobuf, json] = [new ProtobufSpans('parley', RESOURCE), new JsonSpans('parley', RESOURCE)];
    fc.assert(
      fc.property(fc.array(spans, { minLength: 1, maxLength: 20 }), (all) => {
        for (const span of all) {
          protobuf.add(span);
          json.add(span);
        }
        expect([protobuf.count, json.count]).toEqual([all.length, all.length]);
        const said = TRACES.ofJson(Buffer.from(json.take()).toString());
        expect(plain(TRACES.ofProtobuf(protobuf.take()))).toEqual(plain(said));
        expect([protobuf.count, json.count, protobuf.size, json.size]).toEqual([0, 0, 0, 0]);
      }),
    );
  });

  it('are held to the published messages', () => {
    expect(() => TRACES.ofProtobuf(Buffer.from([0x7a, 0]))).toThrow('none of the published messages');
    for (const spans of [[{ nam: 'x' }], [{ kind: '2' }], [{ name: true }], [{ endTimeUnixNano: 'x' }]]) {
      const json = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
      expect(() => TRACES.ofJson(json), json).toThrow(
        'The published messages have no /resourceSpans/0/scopeSpans/0/spans/0/',
      );
    }
  });

  it('are told with what they are about', () => {
    const encoder = new ProtobufSpans('parley', RESOURCE);
    const at = Date.UTC(2026, 0, 1) + 0.5;
    const attributes = ['kind', 'message', 'late', true, 'size', 1.5];
    const names = { traceId: '0a'.repeat(16), spanId: '0b'.repeat(8), parentId: '0c'.repeat(8) };
    encoder.add({ ...names, name: 'x', kind: 'client', startedAt: at, endedAt: at + 1, attributes, failed: true });
    expect(plain(TRACES.ofProtobuf(encoder.take()))).toEqual({
      resourceSpans: [
        {
          resource: {
            attributes: [
              { key: 'service.name', value: { stringValue: 'parley' } },
              { key: 'service.instance.id', value: { stringValue: 'née' } },
            ],
          },
          scopeSpans: [
            {
              scope: { name: 'parley' },
              spans: [
                {
                  ...{ traceId: names.traceId, spanId: names.spanId, parentSpanId: names.parentId },
                  ...{ name: 'x', kind: 3, status: { code: 2 } },
                  ...{ startTimeUnixNano: '1767225600000500000', endTimeUnixNano: '1767225600001500000' },
                  attributes: [
                    { key: 'kind', value: { stringValue: 'message' } },
                    { key: 'late', value: { boolValue: true } },
                    { key: 'size', value: { doubleValue: 1.5 } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
  });
});
