import fc from 'fast-check';
import { expect, test } from 'vitest';
import { localPart } from './jid.ts';
import { escapeLocalPart, unescapeLocalPart } from './jid-escaping.ts';

// XEP-0106 §5.1
test.each([
  ['space cadet', 'space\\20cadet'],
  ['call me "ishmael"', 'call\\20me\\20\\22ishmael\\22'],
  ['at&t guy', 'at\\26t\\20guy'],
  ["d'artagnan", 'd\\27artagnan'],
  ['/.fanboy', '\\2f.fanboy'],
  ['::foo::', '\\3a\\3afoo\\3a\\3a'],
  ['<foo>', '\\3cfoo\\3e'],
  ['user@host', 'user\\40host'],
  ['c:\\net', 'c\\3a\\net'],
  ['c:\\\\net', 'c\\3a\\\\net'],
  ['c:\\cool stuff', 'c\\3a\\cool\\20stuff'],
  ['c:\\5commas', 'c\\3a\\5c5commas'],
  ['\\3and\\2is\\5cool', '\\5c3and\\2is\\5c5cool'],
])('%j is written %j', (name, escaped) => {
  expect(escapeLocalPart(name)).toBe(escaped);
  expect(unescapeLocalPart(escaped)).toBe(name);
});

test.each(['\\2plus\\2is\\4', 'foo\\bar', 'foob\\41r', '\\2F', '\\20ab', 'ab\\20'])('%j escapes nothing', (text) => {
  expect(unescapeLocalPart(text)).toBe(text);
});

test.each([' a', 'a ', ' '])('%j has no escaped form', (name) => {
  expect(escapeLocalPart(name)).toBeUndefined();
});

test('every name reads again as it was, and what is escaped is a local part', () => {
  const unit = fc.constantFrom(...'\\02567acdef "&\'/:<>@z');
  fc.assert(
    fc.property(fc.string({ unit, minLength: 1 }), (name) => {
      const escaped = escapeLocalPart(name);
      if (escaped === undefined) return;
      expect(unescapeLocalPart(escaped)).toBe(name);
      expect(localPart(escaped)).toBe(escaped);
    }),
    { numRuns: 1000 },
  );
});
