import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry, type JournalEntry } from './journal-entry.ts';

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const sid = fc.stringMatching(/^[0-9a-f]{16}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 400 });
const entries: fc.Arbitrary<JournalEntry> = fc.record({
  out: fc.option(number, { nil: undefined }),
  origin: fc.option(fc.record({ sid, k: number, effect: fc.nat() }), { nil: undefined }),
  at: fc.maxSafeNat(),
  text,
});

const failure = (bytes: Buffer) => {
  try {
    decodeEntry(bytes);
    return undefined;
  } catch (error) {
    return error instanceof KeyspaceError ? error.failure : error;
  }
};

describe('a journal entry', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
      }),
    );
  });

  it('takes few bytes besides its stanza', () => {
    const origin = { sid: '0123456789abcdef', k: 70_000, effect: 0 };
    const stanza = "<message to='juliet@capulet.lit'/>";
    const bytes = encodeEntry({ out: 17, origin, at: Date.now(), text: stanza });
    expect(bytes.length - stanza.length).toBeLessThanOrEqual(28);
  });

  it('is damaged where anything is missing or left over', () => {
    fc.assert(
      fc.property(entries, fc.nat(), (entry, place) => {
        const bytes = encodeEntry(entry);
        expect(failure(bytes.subarray(0, place % bytes.length))).toBe('damaged');
        expect(failure(Buffer.concat([bytes, Buffer.of(0)]))).toBe('damaged');
      }),
    );
  });

  it('is either read or damaged, whatever it holds', () => {
    const bytes = fc.uint8Array({ maxLength: 40 }).map((rest) => Buffer.from([1, ...rest]));
    fc.assert(
      fc.property(bytes, (some) => {
        expect(['damaged', undefined]).toContain(failure(some));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['another format', [2, 0, 0, 0]],
    ['unknown flags', [1, 4, 0, 0]],
    ['text that is not UTF-8', [1, 0, 0, 1, 0xff]],
    ['a number over 2^53', [1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]],
    ['a number that takes more bytes than it needs', [1, 0, 0x80, 0x00, 0]],
  ])('is damaged with %s', (_, bytes) => {
    expect(failure(Buffer.from([1, 0, 0, 0]))).toBeUndefined();
    expect(failure(Buffer.from(bytes))).toBe('damaged');
  });

  it('is not written with a number or an id that cannot be read again', () => {
    const entry = { out: undefined, origin: undefined, at: 0, text: '' };
    expect(() => encodeEntry({ ...entry, at: -1 })).toThrow(RangeError);
    expect(() => encodeEntry({ ...entry, at: 0.5 })).toThrow(RangeError);
    expect(() => encodeEntry({ ...entry, out: 2 ** 32 })).toThrow(RangeError);
    expect(() => encodeEntry({ ...entry, origin: { sid: 'g'.repeat(16), k: 1, effect: 0 } })).toThrow(RangeError);
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry); // nothing of those before is in the way
  });

  it('may be large', () => {
    const entry = { out: 1, origin: undefined, at: 1, text: 'ü'.repeat(300_000) };
    expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
    expect(decodeEntry(encodeEntry({ ...entry, text: '' })).text).toBe('');
  });
});
