import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Jid, JidError, resourcePart } from './jid.ts';

describe('legal addresses (RFC 7622 §3.5, table 1)', () => {
  test.each([
    ['juliet@example.com', 'juliet', 'example.com', ''],
    ['juliet@example.com/foo', 'juliet', 'example.com', 'foo'],
    ['juliet@example.com/foo bar', 'juliet', 'example.com', 'foo bar'],
    ['juliet@example.com/foo@bar', 'juliet', 'example.com', 'foo@bar'],
    ['foo\\20bar@example.com', 'foo\\20bar', 'example.com', ''],
    ['fussball@example.com', 'fussball', 'example.com', ''],
    ['fu\u00dfball@example.com', 'fu\u00dfball', 'example.com', ''],
    ['\u03c0@example.com', '\u03c0', 'example.com', ''],
    ['\u03a3@example.com/foo', '\u03c3', 'example.com', 'foo'],
    ['\u03c3@example.com/foo', '\u03c3', 'example.com', 'foo'],
    ['\u03c2@example.com/foo', '\u03c2', 'example.com', 'foo'],
    ['king@example.com/\u265a', 'king', 'example.com', '\u265a'],
    ['example.com', '', 'example.com', ''],
    ['example.com/foobar', '', 'example.com', 'foobar'],
    ['a.example.com/b@example.net', '', 'a.example.com', 'b@example.net'],
    // Table 2 has this one too, but erratum 4560 takes it out: OpaqueString allows spaces anywhere.
    ['juliet@example.com/ foo', 'juliet', 'example.com', ' foo'],
  ])('%s', (text, local, domain, resource) => {
    const jid = Jid.parse(text);
    expect([jid.local, jid.domain, jid.resource]).toEqual([local, domain, resource]);
  });
});

describe('text that is no address (RFC 7622 §3.5, table 2, and more)', () => {
  test.each([
    ['"juliet"@example.com', /local part holds one of/],
    ['foo bar@example.com', /local part is not allowed: it holds U\+0020/],
    ['@example.com/', /local part is empty/],
    ['@example.com', /local part is empty/],
    ['example.com/', /resource is empty/],
    ['henry\u2163@example.com', /local part is not allowed: it holds U\+2163/],
    ['\u265a@example.com', /local part is not allowed: it holds U\+265A/],
    ['juliet@', /domain is empty/],
    ['/foobar', /domain is empty/],
    ['', /domain is empty/],
    ['@', /local part is empty/],
    ['a@b@example.com', /domain is not allowed: it holds U\+0040/],
    ['a&b@example.com', /local part holds one of/],
    ["a'b@example.com", /local part holds one of/],
    ['a:b@example.com', /local part holds one of/],
    ['a<b@example.com', /local part holds one of/],
    ['a>b@example.com', /local part holds one of/],
    ['\uff02juliet@example.com', /local part holds one of/],
    ['a@example.com/\u0007', /resource is not allowed: it holds U\+0007/],
    ['a@example.com/\ud800', /resource is not allowed: it holds U\+D800/],
    [`${'a'.repeat(1024)}@example.com`, /local part is longer than 1023 bytes/],
    [`${'\u00e9'.repeat(512)}@example.com`, /local part is longer than 1023 bytes/],
    [`a@example.com/${'b'.repeat(1024)}`, /resource is longer than 1023 bytes/],
    [`a@example.com/${'b'.repeat(1_000_000)}`, /resource is longer than 1023 bytes/],
    [`a@${'b.'.repeat(200)}c`, /domain is not allowed: it is longer than 253 bytes/],
  ])('%j', (text, reason) => {
    expect(() => Jid.parse(text)).toThrow(JidError);
    expect(() => Jid.parse(text)).toThrow(reason);
    expect(Jid.tryParse(text)).toBeUndefined();
  });
});

test('parts of 1023 bytes are taken, also when they came in longer', () => {
  const local = 'a'.repeat(1023);
  expect(Jid.parse(`${local}@example.com/${local}`).local).toBe(local);
  expect(resourcePart('e\u0301'.repeat(511))).toBe('\u00e9'.repeat(511));
});

test('the same address in other spellings is equal', () => {
  const jid = Jid.parse('Juliet@EXAMPLE.com./Balcony');
  expect(jid.toString()).toBe('juliet@example.com/Balcony');
  expect(`${jid}`).toBe('juliet@example.com/Balcony');
  expect(jid.equals(Jid.of('juliet', 'example.com', 'Balcony'))).toBe(true);
  expect(jid.equals(Jid.of('juliet', 'example.com', 'balcony'))).toBe(false);
  expect(jid.equals(undefined)).toBe(false);
  expect(Jid.parse('xn--bcher-kva.example').equals(Jid.parse('B\u00fccher.example'))).toBe(true);
});

test('bare and full addresses', () => {
  const full = Jid.parse('juliet@example.com/balcony');
  expect(full.isBare).toBe(false);
  expect(full.isDomain).toBe(false);
  expect(full.bare.toString()).toBe('juliet@example.com');
  expect(full.bareText).toBe('juliet@example.com');
  expect(full.bare).toBe(full.bare);
  expect(full.bare.isBare).toBe(true);
  expect(full.bare.bare).toBe(full.bare);
  expect(Jid.parse('example.com').isDomain).toBe(true);
  expect(Jid.parse('example.com/a').isDomain).toBe(false);
  const other = full.withResource('chamber');
  expect(other.toString()).toBe('juliet@example.com/chamber');
  expect(other.bare).toBe(full.bare);
  expect(() => full.withResource('')).toThrow(JidError);
  expect(() => Jid.of('', 'example.com')).toThrow(JidError);
  expect(() => Jid.of('a/b', 'example.com')).toThrow(JidError);
  expect(Jid.of(undefined, 'example.com').toString()).toBe('example.com');
});

test('a text that was parsed before gives the same object, and full addresses share their bare one', () => {
  expect(Jid.parse('romeo@example.net/orchard')).toBe(Jid.parse('romeo@example.net/orchard'));
  expect(Jid.parse('romeo@example.net/orchard').bare).toBe(Jid.parse('romeo@example.net/hall').bare);
});

describe('any text', () => {
  const part = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'abcAB.-@/ \u00e9\u0301\u03a3\u0130\u00df\uff21\u05d0\u0661\u200d\u3000\u2163'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 12,
  });
  const address = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(part, part).map(([local, resource]) => `${local}@Example.com/${resource}`),
    fc.tuple(part, part, part).map(([local, domain, resource]) => `${local}@${domain}/${resource}`),
    part,
  );

  test('is refused with a JidError or becomes an address whose text is parsed to the same address', () => {
    fc.assert(
      fc.property(address, (text) => {
        let jid: Jid;
        try {
          jid = Jid.parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(JidError);
          return;
        }
        const again = Jid.parse(jid.toString());
        expect([again.local, again.domain, again.resource]).toEqual([jid.local, jid.domain, jid.resource]);
        expect(again.toString()).toBe(jid.toString());
        expect(Jid.of(jid.local || undefined, jid.domain, jid.resource || undefined).equals(jid)).toBe(true);
        expect(jid.bare.toString()).toBe(jid.toString().split('/', 1)[0]);
      }),
      { numRuns: 3000 },
    );
  });

  test('two addresses are equal exactly if their parts are', () => {
    fc.assert(
      fc.property(address, address, (one, two) => {
        const [a, b] = [Jid.tryParse(one), Jid.tryParse(two)];
        if (a === undefined || b === undefined) return;
        const sameParts = a.local === b.local && a.domain === b.domain && a.resource === b.resource;
        expect(a.equals(b)).toBe(sameParts);
        expect(a.toString() === b.toString()).toBe(sameParts);
      }),
      { numRuns: 2000 },
    );
  });
});
