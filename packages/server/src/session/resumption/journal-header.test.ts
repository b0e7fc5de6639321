import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader, MOST_ORIGINS } from './journal-header.ts';

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const key = fc.tuple(fc.stringMatching(/^[0-9a-f]{16}$/), fc.nat()).map(([sid, effect]) => `${sid}.${effect}`);
const origins = fc.uniqueArray(fc.tuple(key, number), { selector: ([name]) => name, maxLength: MOST_ORIGINS + 5 });

const failure = (bytes: Buffer) => {
  try {
    decodeHeader(bytes);
    return undefined;
  } catch (error) {
    return error instanceof KeyspaceError ? error.failure : error;
  }
};

describe('the header of a journal', () => {
  it('is read as it was written, with the newest origins, in their order', () => {
    fc.assert(
      fc.property(number, origins, (handled, list) => {
        const header = decodeHeader(encodeHeader({ handled, origins: new Map(list) }));
        expect(header.handled).toBe(handled);
        expect([...header.origins]).toEqual(list.slice(-MOST_ORIGINS));
      }),
    );
  });

  it('tells how far its owner had come, where that left in order', () => {
    fc.assert(
      fc.property(number, origins, number, (handled, list, sent) => {
        const bytes = encodeHeader({ handled, origins: new Map(list), sent });
        expect(decodeHeader(bytes).sent).toBe(sent);
        expect(failure(bytes.subarray(0, -1))).toBe('damaged');
        expect('sent' in decodeHeader(encodeHeader({ handled, origins: new Map(list) }))).toBe(false);
      }),
    );
  });

  it('has what was handled where the operations look for it', () => {
    const bytes = encodeHeader({ handled: 0x01020304, origins: new Map() });
    expect([...bytes.subarray(1, 5)]).toEqual([1, 2, 3, 4]);
  });

  it('is damaged where anything is missing or left over', () => {
    fc.assert(
      fc.property(number, origins, fc.nat(), (handled, list, place) => {
        const bytes = encodeHeader({ handled, origins: new Map(list) });
        expect(failure(bytes.subarray(0, place % bytes.length))).toBe('damaged');
        expect(failure(Buffer.concat([bytes, Buffer.of(0)]))).toBe('damaged');
      }),
    );
  });

  it('is either read or damaged, whatever it holds', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((rest) => Buffer.from([1, 0, 0, 0, 1, ...rest]));
    fc.assert(
      fc.property(bytes, (some) => {
        expect(['damaged', undefined]).toContain(failure(some));
      }),
      { numRuns: 1000 },
    );
  });

  it('is damaged with another format, too many origins or one of them twice', () => {
    const origin = [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 9];
    expect(failure(Buffer.from([1, 0, 0, 0, 1, 1, ...origin]))).toBeUndefined();
    expect(failure(Buffer.from([2, 0, 0, 0, 1, 1, ...origin]))).toBe('damaged');
    expect(failure(Buffer.from([1, 0, 0, 0, 1, 2, ...origin, ...origin]))).toBe('damaged');
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => [index >> 8, index & 0xff, ...origin.slice(2)]).flat();
    const header = (count: number) => Buffer.from([1, 0, 0, 0, 1, 0x80 | (count & 0x7f), count >> 7, ...many(count)]);
    expect(failure(header(MOST_ORIGINS))).toBeUndefined();
    expect(failure(header(MOST_ORIGINS + 1))).toBe('damaged');
  });

  it('is not written with a key that names no origin', () => {
    const wrong = ['0123456789abcdef', 'x.1', '0123456789abcdef.x'];
    for (const name of wrong) {
      expect(() => encodeHeader({ handled: 0, origins: new Map([[name, 1]]) })).toThrow(RangeError);
    }
  });
});
