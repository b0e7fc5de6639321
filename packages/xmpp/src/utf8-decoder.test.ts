import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Decoder } from './utf8-decoder.ts';

/** What the chunks say together: the text up to the first fault, and whether there was one. */
function decode(...chunks: readonly (readonly number[] | Uint8Array)[]): [text: string, broken: boolean] {
  const decoder = new Utf8Decoder();
  let text = '';
  for (const chunk of chunks) if (!decoder.broken) text += decoder.decode(Buffer.from(chunk));
  return [text, decoder.broken];
}

const oneByOne = (bytes: readonly number[] | Uint8Array) => Array.from(bytes, (byte) => [byte]);
const A = 0x41;

describe('Utf8Decoder', () => {
  it.each([
    ['ASCII', [0x41, 0x7f], 'A\x7f'],
    ['the shortest form of two bytes', [0xc2, 0x80], '\u0080'],
    ['the last of two bytes', [0xdf, 0xbf], '\u07ff'],
    ['the first of three bytes', [0xe0, 0xa0, 0x80], '\u0800'],
    ['the last before the surrogates', [0xed, 0x9f, 0xbf], '\ud7ff'],
    ['the first behind the surrogates', [0xee, 0x80, 0x80], '\ue000'],
    ['U+FFFD, which is a character like any other', [0xef, 0xbf, 0xbd], '\ufffd'],
    ['U+FFFE and U+FFFF, which XML refuses and UTF-8 does not', [0xef, 0xbf, 0xbe, 0xef, 0xbf, 0xbf], '\ufffe\uffff'],
    ['the first of four bytes', [0xf0, 0x90, 0x80, 0x80], '\u{10000}'],
    ['the last of four bytes', [0xf4, 0x8f, 0xbf, 0xbf], '\u{10ffff}'],
    ['the byte order mark, kept', [0xef, 0xbb, 0xbf, 0x41], '\ufeffA'],
    ['NUL', [0], '\0'],
  ])('reads %s', (_, bytes, text) => {
    expect(decode(bytes)).toEqual([text, false]);
    expect(decode(...oneByOne(bytes))).toEqual([text, false]);
  });

  // Each stands between two letters, so that nothing of it can be mistaken for the beginning of something longer.
  it.each([
    ['the first continuation byte alone', [0x80]],
    ['the last continuation byte alone', [0xbf]],
    ['two continuation bytes', [0x80, 0xbf]],
    ['six continuation bytes', [0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf]],
    ['all continuation bytes', Array.from({ length: 64 }, (_, i) => 0x80 + i)],
    ['a lead of two bytes alone', [0xc2]],
    ['a lead of two bytes and a space', [0xdf, 0x20]],
    ['a lead of three bytes alone', [0xe0]],
    ['a lead of four bytes alone', [0xf0]],
    ['a lead of five bytes alone', [0xf8]],
    ['a lead of six bytes alone', [0xfc]],
    ['three bytes without the last', [0xe0, 0xa0]],
    ['three bytes without the last, at the end of the range', [0xef, 0xbf]],
    ['four bytes without the last', [0xf0, 0x90, 0x80]],
    ['four bytes without the last two', [0xf4, 0x8f]],
    ['two that stop short, one behind the other', [0xe2, 0x82, 0xe2, 0x82]],
    ['the byte FE', [0xfe]],
    ['the byte FF', [0xff]],
    ['FE FE FF FF', [0xfe, 0xfe, 0xff, 0xff]],
    ['a slash in two bytes', [0xc0, 0xaf]],
    ['a slash in three bytes', [0xe0, 0x80, 0xaf]],
    ['a slash in four bytes', [0xf0, 0x80, 0x80, 0xaf]],
    ['a slash in five bytes', [0xf8, 0x80, 0x80, 0x80, 0xaf]],
    ['a slash in six bytes', [0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf]],
    ['the greatest overlong form of two bytes', [0xc1, 0xbf]],
    ['the greatest overlong form of three bytes', [0xe0, 0x9f, 0xbf]],
    ['the greatest overlong form of four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['NUL in two bytes', [0xc0, 0x80]],
    ['NUL in three bytes', [0xe0, 0x80, 0x80]],
    ['"<" in two bytes', [0xc0, 0xbc]],
    ['the first high surrogate', [0xed, 0xa0, 0x80]],
    ['the last high surrogate', [0xed, 0xaf, 0xbf]],
    ['the first low surrogate', [0xed, 0xb0, 0x80]],
    ['the last low surrogate', [0xed, 0xbf, 0xbf]],
    ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['the first behind U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['far behind U+10FFFF', [0xf7, 0xbf, 0xbf, 0xbf]],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['six bytes', [0xfd, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf]],
    ['ISO 8859-1', [0xe4, 0x6f, 0xdf]],
    ['UTF-16', [0xff, 0xfe, 0x3c, 0x00]],
  ])('refuses %s, and keeps what stood before it', (_, bytes) => {
    const whole = [A, ...bytes, A, A, A, A];
    expect(decode(whole)).toEqual(['A', true]);
    expect(decode(...oneByOne(whole))).toEqual(['A', true]);
  });

  it('waits for the rest of a character, with at most three bytes in hand', () => {
    const decoder = new Utf8Decoder();
    const held: number[] = [];
    for (const byte of [0xf0, 0x9f, 0x98, 0x80]) {
      decoder.decode(Buffer.from([byte]));
      held.push(decoder.held);
    }
    expect(held).toEqual([1, 2, 3, 0]);
  });

  it('agrees with TextDecoder on any bytes, however they are split', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc.array(fc.constantFrom(0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0xef, 0xf0, 0x90, 0xf4, 0x8f), {
        maxLength: 12,
      }),
    );
    fc.assert(
      fc.property(bytes, fc.nat(24), fc.nat(24), (given, a, b) => {
        const whole = Uint8Array.from([...given, A, A, A]); // so that no character is left waiting
        const [first, second] = a < b ? [a, b] : [b, a];
        const [text, broken] = decode(whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second));
        let expected: string | undefined;
        try {
          expected = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole);
        } catch {
          expected = undefined;
        }
        expect(broken).toBe(expected === undefined);
        if (expected !== undefined) expect(text).toBe(expected);
        else expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole).startsWith(text)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
