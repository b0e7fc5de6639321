import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entryAnswer } from '../../../../../../tests/services/ldap-answers.ts';
import { BerError } from './ber.ts';
import { readEntry, readIntermediate, readMessage, readResult } from './message.ts';
import { MessageFramer } from './message-framer.ts';

const MOST = 5000;

const entries = fc.record({
  messageId: fc.integer({ min: 1, max: 0x7fff_ffff }),
  name: fc.string({ unit: 'binary', maxLength: 300 }),
  attributes: fc.array(
    fc.record({
      type: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
      values: fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }),
    }),
    { maxLength: 4 },
  ),
});

type Sent = typeof entries extends fc.Arbitrary<infer T> ? T : never;

const written = ({ messageId, name, attributes }: Sent): Buffer =>
  entryAnswer(
    messageId,
    name,
    attributes.map(({ type, values }) => [type, values] as const),
    [{ oid: '1.2.3', value: Buffer.from('value') }],
  );

/** Cut at arbitrary places. */
const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
};

const places = fc.array(fc.nat({ max: 100_000 }), { maxLength: 30 });

it('finds the same messages however they are split', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 6 }), places, (sent, where) => {
      const messages = sent.map(written);
      const framer = new MessageFramer(1_000_000);
      const found = cut(Buffer.concat(messages), where).flatMap((chunk) => framer.push(chunk));
      expect(found.map((each) => each.toString('hex'))).toEqual(messages.map((each) => each.toString('hex')));
      const read = found.map(readMessage);
      expect(read.map(({ id }) => id)).toEqual(sent.map(({ messageId }) => messageId));
      expect(read.map(readEntry).map(({ dn }) => dn)).toEqual(sent.map(({ name }) => Buffer.from(name).toString()));
      expect(read.every(({ controls }) => controls.has('1.2.3'))).toBe(true);
    }),
  );
});

it('throws nothing but a BerError at arbitrary changes, and holds no more than one message', () => {
  const changes = fc.array(fc.tuple(fc.nat({ max: 100_000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.array(entries, { minLength: 1, maxLength: 3 }), changes, places, (sent, changed, where) => {
      const bytes = Buffer.concat(sent.map(written));
      for (const [at, value] of changed) bytes[at % bytes.length] = value;
      const framer = new MessageFramer(MOST);
      try {
        for (const chunk of cut(bytes, where)) {
          for (const each of framer.push(chunk)) {
            expect(each.length).toBeLessThanOrEqual(MOST);
            const message = readMessage(each);
            for (const read of [readEntry, readResult, readIntermediate]) attempt(() => read(message));
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(BerError);
      }
    }),
  );
});

function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(BerError);
  }
}

it('refuses a message that is larger than allowed as soon as it is announced', () => {
  const framer = new MessageFramer(100);
  expect(framer.push(Buffer.from([0x30]))).toEqual([]);
  expect(() => framer.push(Buffer.from([0x81, 0xff]))).toThrow('more than the 100 allowed');
  expect(framer.push(Buffer.alloc(1000))).toEqual([]);
});

it('refuses what does not begin as a message does', () => {
  expect(() => new MessageFramer(100).push(Buffer.from('HTTP/1.1 400'))).toThrow(BerError);
  expect(() => new MessageFramer(100).push(Buffer.from([0x30, 0x80, 0]))).toThrow('indefinite');
});
