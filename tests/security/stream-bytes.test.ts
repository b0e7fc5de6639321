import { NS } from '@parley/xmpp/namespaces';
import { XmlReader } from '@parley/xmpp/xml-reader';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { xmlStream } from './arbitrary-xml.ts';
import { BareStream, type Happening } from './bare-stream.ts';
import { dictionary, mutate, mutations } from './mutation.ts';
import { readStream } from './reading.ts';
import { numRuns } from './runs.ts';

const LIMITS = { maxBytes: 500, maxElements: 20, maxDepth: 6, maxAttributes: 8, maxNameLength: 60 };
const HEADER = Buffer.from(
  `<stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`,
);

const words = fc.array(fc.constantFrom(...dictionary), { maxLength: 20 }).map((list) => Buffer.concat(list));
const streams = xmlStream.map((text) => Buffer.from(text));
const changed = fc.tuple(fc.oneof(streams, words), mutations).map(([bytes, list]) => mutate(bytes, list));
const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const endless = fc.integer({ min: 0, max: 2000 }).map((length) => Buffer.from(`<a>${'x'.repeat(length)}`));
const inStream = fc.oneof(words, changed, noise, endless).map((bytes) => Buffer.concat([HEADER, bytes]));

/** Bytes of all kinds, in pieces of all sizes. */
const chunks: fc.Arbitrary<Buffer[]> = fc
  .tuple(
    fc.oneof(streams, changed, noise, { weight: 3, arbitrary: inStream }),
    fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1000))),
  )
  .map(([bytes, sizes]) => {
    const list: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += (list.at(-1) as Buffer).length) {
      list.push(bytes.subarray(at, at + (sizes.next().value as number)));
    }
    return list;
  });

/** Everything that was waited for has come. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

const of = (happened: readonly Happening[], kind: Happening['kind']) =>
  happened.filter((each) => each.kind === kind).length;

test('whatever bytes come, a stream lives on or ends in order, once', async () => {
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(chunks, async (list) => {
      const bare = new BareStream(LIMITS);
      const { happened, stream } = bare;
      for (const chunk of list) bare.push(chunk);
      await settled();
      expect(of(happened, 'fault')).toBe(0);
      const over = stream.closed ? 1 : 0;
      ended += over;
      expect([of(happened, 'end'), of(happened, 'connection closed')]).toEqual([over, over]);
      expect(of(happened, 'error')).toBeLessThanOrEqual(over);
      // behind an error there is nothing but what tells the peer of it
      const error = happened.findIndex(({ kind }) => kind === 'error');
      if (error !== -1) {
        expect(happened.slice(error + 1).map(({ kind }) => kind)).toEqual(['sent', 'sent', 'end', 'connection closed']);
      }
      // what was sent is well-formed, and whole where the stream is over
      const sent = readStream([bare.sent]);
      expect(sent.error).toBeUndefined();
      if (stream.closed && bare.sent !== '') expect(sent.closed).toBe(true);
      expect(sent.received.filter((element) => element.is('error', NS.streams))).toHaveLength(of(happened, 'error'));
      // and it stays as it is
      const before = happened.length;
      if (stream.closed) bare.push(Buffer.from('<message/>'));
      await settled();
      expect(happened).toHaveLength(before);
    }),
    { numRuns },
  );
  expect(ended).toBeGreaterThan(numRuns / 10);
  expect(ended).toBeLessThan((numRuns * 9) / 10);
});

test('a stream never holds more than one element of the size that is allowed', () => {
  let most = 0;
  fc.assert(
    fc.property(chunks, (list) => {
      const reader = new XmlReader({ onStreamOpen() {}, onElement() {}, onStreamClose() {} }, LIMITS);
      try {
        for (const chunk of list) {
          reader.write(chunk);
          most = Math.max(most, reader.pendingBytes);
          expect(reader.pendingBytes).toBeLessThanOrEqual(LIMITS.maxBytes);
        }
      } catch {
        reader.write(HEADER);
      }
      expect(reader.pendingBytes).toBeLessThanOrEqual(LIMITS.maxBytes);
    }),
    { numRuns },
  );
  expect(most).toBeGreaterThan(LIMITS.maxBytes / 2);
});
