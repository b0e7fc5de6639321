import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundAtOf, decodeRecord, encodeRecord, fenceOf, type ResumptionRecord } from './resumption-record.ts';

const sid = fc.stringMatching(/^[0-9a-f]{16}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 50 });
const records: fc.Arbitrary<ResumptionRecord> = fc.record({
  resource: text,
  sid,
  epoch: fc.maxSafeNat(),
  maxSeconds: fc.nat(),
  carbons: fc.boolean(),
  interested: fc.boolean(),
  receiving: fc.boolean(),
  inactive: fc.boolean(),
  boundAt: fc.maxSafeNat(),
  presence: fc.option(text, { nil: undefined }),
  directed: fc.array(text, { maxLength: 5 }),
  mechanism: text,
  peerStream: fc.option(text, { nil: undefined }),
});

const failure = (bytes: Buffer) => {
  try {
    decodeRecord('orchard', bytes);
    return undefined;
  } catch (error) {
    return error instanceof KeyspaceError ? error.failure : error;
  }
};

describe('the record of a session', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(records, sid, (record, owner) => {
        expect(decodeRecord(record.resource, encodeRecord(record, owner))).toEqual(record);
      }),
    );
  });

  it('begins with its fence, behind the version; no other begins with the same', () => {
    fc.assert(
      fc.property(records, sid, fc.maxSafeNat(), (record, owner, epoch) => {
        const bytes = encodeRecord(record, owner);
        const begins = (fence: Buffer) => bytes.subarray(1, 1 + fence.length).equals(fence);
        expect(begins(fenceOf(record.sid, record.epoch))).toBe(true);
        expect(begins(fenceOf(record.sid, record.epoch, owner))).toBe(true);
        expect(begins(fenceOf(record.sid, epoch))).toBe(epoch === record.epoch);
      }),
    );
  });

  it('is damaged where anything is missing or left over', () => {
    fc.assert(
      fc.property(records, sid, fc.nat(), (record, owner, place) => {
        const bytes = encodeRecord(record, owner);
        expect(failure(bytes.subarray(0, place % bytes.length))).toBe('damaged');
        expect(failure(Buffer.concat([bytes, Buffer.of(0)]))).toBe('damaged');
      }),
    );
  });

  it('is either read or damaged, whatever it holds', () => {
    const beginning = [...Array<number>(17).fill(1), 1, 1];
    const bytes = fc.uint8Array({ maxLength: 60 }).map((rest) => Buffer.from([...beginning, ...rest]));
    fc.assert(
      fc.property(bytes, (some) => {
        expect(['damaged', undefined]).toContain(failure(some));
      }),
      { numRuns: 1000 },
    );
  });

  it('tells when its session was bound, which an older one does not, nor one that is damaged', () => {
    fc.assert(
      fc.property(records, sid, (record, owner) => {
        expect(boundAtOf(encodeRecord(record, owner))).toBe(record.boundAt);
      }),
    );
    const old = Buffer.from([1, ...Array<number>(8).fill(1), 1, ...Array<number>(8).fill(1), 60, 0, 0, 0]);
    expect([boundAtOf(old), boundAtOf(Buffer.from([2, 1]))]).toEqual([0, 0]);
  });

  it('is damaged with another format or unknown flags', () => {
    const id = Array<number>(8).fill(1);
    const fence = [...id, 1, ...id];
    const good = [1, ...fence, 60, 0, 0, 0];
    const flags = 1 + fence.length + 1;
    expect(failure(Buffer.from(good))).toBeUndefined();
    expect(failure(Buffer.from(good.with(0, 3)))).toBe('damaged');
    expect(failure(Buffer.from(good.with(flags, 32)))).toBe('damaged');
  });
});
