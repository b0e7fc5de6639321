import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codePointClass } from './precis/code-point-class.ts';
import { opaqueString, PrecisError, usernameCaseMapped } from './precis.ts';

/** Any text, with the blocks that the rules are about drawn often. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'aAzZ09.-_ \u00e9\u00c9\u03a3\u03c3\u03c2\u0130\u0131\u00df\u1e9e'),
      fc.constantFrom(...'\u0301\u0307\u0345\u200c\u200d\u094d\u0915\u00b7l\u0375\u05d0\u05f3\u30fb\u30ab\uff76\uff9e'),
      fc.constantFrom(...'\u0660\u06f0\u0627\u0628\u064b\u1100\u1161\uac00\u212b\u2163\ufb01\u3000\u00a0\ufe0f\ud800'),
    ),
  }),
);

function outcome(prepare: (text: string) => string, text: string): string | undefined {
  try {
    return prepare(text);
  } catch (error) {
    if (error instanceof PrecisError) return undefined;
    throw error;
  }
}

describe('code point classes (RFC 8264 §8)', () => {
  test.each([
    ['pvalid', [0x21, 0x7e, 0x41, 0xdf, 0x3c2, 0x6fd, 0xf0b, 0x3007, 0x660 + 0x2f0, 0xe9, 0x4e00, 0xac00, 0x16a0]],
    ['free-pvalid', [0x20, 0xa0, 0x2163, 0x265a, 0x1f600, 0x212b, 0xfb01, 0x1c5, 0x3000, 0xff21, 0x20ac, 0x2019]],
    ['contextual', [0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb, 0x660, 0x669, 0x6f0, 0x6f9, 0x200c, 0x200d]],
    ['disallowed', [0, 0x1f, 0x7f, 0x9f, 0x640, 0x7fa, 0x302e, 0x3031, 0x303b, 0x1100, 0xad, 0x200b, 0x2028, 0x2029]],
    ['disallowed', [0xd800, 0xdfff, 0xe000, 0xfdd0, 0xfe0f, 0xfffe, 0x10ffff, 0xe0001, 0x115f, 0xa960, 0xd7b0]],
    ['unassigned', [0x378, 0x530, 0x2fe0, 0x3ffff - 0x10]],
  ])('%s', (kind, codePoints) => {
    for (const codePoint of codePoints) expect(codePointClass(codePoint), codePoint.toString(16)).toBe(kind);
  });

  test('asking again gives the same answer', () => {
    expect(codePointClass(0xe9)).toBe(codePointClass(0xe9));
  });
});

describe('UsernameCaseMapped', () => {
  test.each([
    ['juliet', 'juliet'],
    ['Juliet@Example.com', 'juliet@example.com'],
    ['fu\u00dfball', 'fu\u00dfball'],
    ['\u03c0', '\u03c0'],
    ['\u03a3', '\u03c3'],
    ['\u03c2', '\u03c2'],
    ['\uff2a\uff35', 'ju'],
    ['e\u0301', '\u00e9'],
    ['\uff76\uff9e', '\u30ac'],
    ['l\u00b7l', 'l\u00b7l'],
    ['\u0375\u03b1', '\u0375\u03b1'],
    ['\u05d0\u05f3', '\u05d0\u05f3'],
    ['\u30ab\u30fb\u30ab', '\u30ab\u30fb\u30ab'],
    ['\u0915\u094d\u200d\u0937', '\u0915\u094d\u200d\u0937'],
    ['\u0915\u094d\u200c\u0937', '\u0915\u094d\u200c\u0937'],
    ['\u0628\u200c\u0627', '\u0628\u200c\u0627'],
    ['\u0628\u064b\u200c\u064b\u0627', '\u0628\u064b\u200c\u064b\u0627'],
    ['\u0627\u0661\u0662', '\u0627\u0661\u0662'],
    ['\u05d01', '\u05d01'],
  ])('%j becomes %j', (text, expected) => {
    expect(usernameCaseMapped(text)).toBe(expected);
  });

  test.each([
    ['nothing', ''],
    ['a space', 'foo bar'],
    ['an ideographic space', 'foo\u3000bar'],
    ['a number sign of its own', 'henry\u2163'],
    ['a ligature', '\ufb01sh'],
    ['a symbol', '\u265a'],
    ['a control character', 'a\u0000'],
    ['an unassigned code point', 'a\u0378'],
    ['a lone surrogate', 'a\ud800'],
    ['a private code point', '\ue000'],
    ['an invisible code point', 'a\u200b'],
    ['a conjoining jamo', '\u1100\u1161'],
    ['a middle dot elsewhere', 'a\u00b7l'],
    ['a middle dot at the end', 'l\u00b7'],
    ['a numeral sign without Greek', '\u0375a'],
    ['a geresh without Hebrew', 'a\u05f3'],
    ['a katakana middle dot alone', 'a\u30fba'],
    ['a joiner without virama', 'a\u200db'],
    ['a non-joiner between letters that do not join', 'a\u200cb'],
    ['a non-joiner after a letter that joins to the right only', '\u0627\u200c\u0628'],
    ['two kinds of Arabic digits', '\u0627\u0661\u06f1'],
    ['Hebrew that begins with a digit', '1\u05d0'],
    ['Hebrew and Latin', '\u05d0a'],
    ['Latin and Hebrew', 'a\u05d0'],
    ['Arabic with European and Arabic numbers', '\u06271\u0661'],
    ['Hebrew that ends with a neutral', '\u05d0-'],
  ])('refuses %s', (_, text) => {
    expect(() => usernameCaseMapped(text)).toThrow(PrecisError);
  });

  test('the reason names the code point and not the text', () => {
    expect(() => usernameCaseMapped('secret name')).toThrow(/^it holds U\+0020, which may not stand there$/);
  });
});

describe('OpaqueString', () => {
  test.each([
    ['Correct Horse', 'Correct Horse'],
    [' leading', ' leading'],
    ['caf\u0065\u0301', 'caf\u00e9'],
    ['a\u00a0b\u3000c\u1680d', 'a b c d'],
    ['\u265a\u{1f600}', '\u265a\u{1f600}'],
    ['\u03c0\u00df\u00e5', '\u03c0\u00df\u00e5'],
    ['\uff21', '\uff21'],
    ['foo@bar/baz', 'foo@bar/baz'],
  ])('%j becomes %j', (text, expected) => {
    expect(opaqueString(text)).toBe(expected);
  });

  test.each([
    ['nothing', ''],
    ['a tab', 'my cat is a \tby'],
    ['a line separator', 'a\u2028b'],
    ['a lone surrogate', '\udc00'],
    ['an unassigned code point', '\u0378'],
    ['a variation selector', '\u2764\ufe0f'],
  ])('refuses %s', (_, text) => {
    expect(() => opaqueString(text)).toThrow(PrecisError);
  });
});

describe.each([
  ['UsernameCaseMapped', usernameCaseMapped],
  ['OpaqueString', opaqueString],
])('%s of any text', (_, prepare) => {
  test('is refused with a PrecisError or stays as it is when prepared again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const prepared = outcome(prepare, text);
        if (prepared === undefined) return;
        expect(prepare(prepared)).toBe(prepared);
        expect(prepared.normalize('NFC')).toBe(prepared);
      }),
      { numRuns: 2000 },
    );
  });

  test('is the same whichever canonical form it came in, if both forms are allowed', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const composed = outcome(prepare, text.normalize('NFC'));
        const decomposed = outcome(prepare, text.normalize('NFD'));
        if (composed !== undefined && decomposed !== undefined) expect(decomposed).toBe(composed);
      }),
    );
  });
});

test('a name that is accepted is known in lower case, its letters in either case', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const prepared = outcome(usernameCaseMapped, text);
      if (prepared !== undefined) expect(prepared).toBe(prepared.toLowerCase());
    }),
  );
});
