import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAcknowledged,
  decodeAnswers,
  decodeDeliver,
  decodeNotice,
  decodeSession,
  encodeAcknowledged,
  encodeAnswers,
  encodeDeliver,
  encodeNotice,
  encodeSession,
  ITEM,
} from './items.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const sid = fc.stringMatching(/^[0-9a-f]{16}$/);
const known = { sid, k: uint32, effect: fc.nat({ max: 255 }) };
const origin = fc.option(fc.oneof(fc.record(known), fc.record({ ...known, late: fc.constant(true) })), {
  nil: undefined,
});
const text = fc.string({ unit: 'binary' });
const done = fc.boolean();

describe('what one node tells another is read as it was written:', () => {
  it('a stanza', () => {
    fc.assert(
      fc.property(fc.record({ id: uint32, sid, first: done, origin }), text, (about, stanza) => {
        const item = encodeDeliver(about, stanza);
        const { text: read, ...rest } = decodeDeliver(item);
        expect([item[0], rest, read.toString()]).toEqual([ITEM.deliver, about, stanza]);
      }),
    );
  });

  it('answers', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ id: uint32, done })), (answers) => {
        const item = encodeAnswers(answers);
        expect([item[0], decodeAnswers(item)]).toEqual([ITEM.answer, answers]);
      }),
    );
  });

  it('notices', () => {
    const subject = fc.string({ unit: 'binary', maxLength: 50 });
    fc.assert(
      fc.property(fc.record({ id: uint32, subject, text }), (notice) => {
        const item = encodeNotice(notice);
        expect([item[0], decodeNotice(item)]).toEqual([ITEM.notice, notice]);
      }),
    );
  });

  it('what is about a session', () => {
    const kind = fc.constantFrom(ITEM.release, ITEM.evict);
    fc.assert(
      fc.property(kind, uint32, sid, fc.nat({ max: 2 ** 48 - 1 }), (which, id, session, at) => {
        const item = encodeSession(which, { id, sid: session });
        expect([item[0], decodeSession(item)]).toEqual([which, { id, sid: session }]);
        const asked = encodeAcknowledged(id, session, at);
        expect([asked[0], decodeAcknowledged(asked)]).toEqual([ITEM.acknowledged, { id, sid: session, at }]);
      }),
    );
  });
});

it.each([
  ['a stanza', decodeDeliver],
  ['answers', decodeAnswers],
  ['a notice', decodeNotice],
  ['a session', decodeSession],
  ['a question', decodeAcknowledged],
])('bytes that are not %s are read as one or refused, and no worse', (_, decode) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decode(Buffer.from(bytes));
      } catch (error) {
        expect(error instanceof RangeError || error instanceof KeyspaceError).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

it('what was cut off is refused', () => {
  const about = { id: 1, sid: 'a'.repeat(16), first: true, origin: { sid: 'b'.repeat(16), k: 7, effect: 0 } };
  const deliver = encodeDeliver(about, '');
  for (let length = 1; length < deliver.length; length++) {
    expect(() => decodeDeliver(deliver.subarray(0, length))).toThrow(RangeError);
  }
  const notice = encodeNotice({ id: 1, subject: 'roster', text: '' });
  for (let length = 1; length < notice.length; length++) {
    expect(() => decodeNotice(notice.subarray(0, length))).toThrow(RangeError);
  }
  expect(() => decodeAnswers(encodeAnswers([{ id: 1, done: true }]).subarray(0, 5))).toThrow(RangeError);
  expect(() => decodeSession(encodeSession(ITEM.evict, about).subarray(0, 12))).toThrow(RangeError);
  expect(() => decodeAcknowledged(encodeAcknowledged(1, about.sid, 1).subarray(0, 18))).toThrow(RangeError);
});
