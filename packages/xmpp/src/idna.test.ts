import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError, domainName } from './idna.ts';

describe('domainName', () => {
  test.each([
    ['example.com', 'example.com'],
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['1.2.3', '1.2.3'],
    ['a-b.c--d.e', 'a-b.c--d.e'],
    ['B\u00dcCHER.example', 'b\u00fccher.example'],
    ['bu\u0308cher.example', 'b\u00fccher.example'],
    ['xn--bcher-kva.example', 'b\u00fccher.example'],
    ['XN--BCHER-KVA.example', 'b\u00fccher.example'],
    ['fa\u00df.example', 'fa\u00df.example'],
    ['xn--fa-hia.example', 'fa\u00df.example'],
    ['\uff45xample\u3002com', 'example.com'],
    ['example\uff0ecom', 'example.com'],
    ['\u4f8b\u3048.\u30c6\u30b9\u30c8', '\u4f8b\u3048.\u30c6\u30b9\u30c8'],
    ['\u05d0\u05d1.\u05d2', '\u05d0\u05d1.\u05d2'],
    ['l\u00b7l.example', 'l\u00b7l.example'],
    ['[::1]', '[::1]'],
    ['[2001:DB8:0:0:0:0:0:1]', '[2001:db8::1]'],
    ['[::ffff:1.2.3.4]', '[::ffff:102:304]'],
  ])('%j becomes %j', (text, expected) => {
    expect(domainName(text)).toBe(expected);
  });

  test.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['an empty label', 'a..b'],
    ['two final dots', 'example.com..'],
    ['a dot in front', '.example.com'],
    ['a space', 'exam ple.com'],
    ['an underscore', 'a_b.example'],
    ['a percent-encoded letter', 'ex%61mple.com'],
    ['a slash', 'a/b'],
    ['an at sign', 'a@b'],
    ['a port', 'example.com:5222'],
    ['a control character', 'a\u0000b'],
    ['a tab, which URLs drop', 'a\tb'],
    ['a soft hyphen, which URLs drop', 'exam\u00adple.com'],
    ['a hyphen in front', '-a.example'],
    ['a hyphen at the end', 'a-.example'],
    ['hyphens in third place', 'ab--c.example'],
    ['a symbol', '\u2603.example'],
    ['an encoded symbol', 'xn--n3h.example'],
    ['an encoding of ASCII', 'xn--abc-.example'],
    ['a broken encoding', 'xn--bcher-kva8.example'],
    ['an empty encoding', 'xn--.example'],
    ['an encoding of upper case', 'xn--Bcher-Kva\u00fc.example'],
    ['a combining mark in front', '\u0301a.example'],
    ['a middle dot elsewhere', 'a\u00b7l.example'],
    ['a joiner without virama', 'a\u200db.example'],
    ['an unassigned code point', 'a\u0378.example'],
    ['a lone surrogate', 'a\ud800.example'],
    ['mixed directions in one label', '\u05d0a.example'],
    ['a label with a digit in front beside Hebrew', '1a.\u05d0'],
    ['a label of 64 bytes', `${'a'.repeat(64)}.example`],
    ['a label of 64 bytes when encoded', `${'a'.repeat(57)}\u00fc.example`],
    ['more than 253 bytes', Array(127).fill('a').concat('aa').join('.')],
    ['an unclosed bracket', '[::1'],
    ['IPv6 without brackets', '::1'],
    ['too many groups', '[1:2:3:4:5:6:7:8:9]'],
    ['a zone', '[fe80::1%25eth0]'],
    ['a future address', '[v1.a]'],
    ['IPv4 in brackets', '[127.0.0.1]'],
    ['something after the bracket', '[::1]:5222'],
  ])('refuses %s', (_, text) => {
    expect(() => domainName(text)).toThrow(DomainError);
  });

  test('takes labels of 63 bytes and 253 bytes in all', () => {
    const longest = `${`${'a'.repeat(63)}.`.repeat(3)}${'b'.repeat(61)}`;
    expect(longest).toHaveLength(253);
    expect(domainName(longest)).toBe(longest);
    expect(() => domainName(`${longest}b`)).toThrow(DomainError);
  });

  test('any text is refused with a DomainError or stays as it is when prepared again', () => {
    const unit = fc.oneof(
      fc.constantFrom(...'abAZ09-...xn[]:%@/ \u00fc\u00df\u03c2\u03a3\u0301\u0130\u3002\uff0e\uff76\u05d0\u0627\u0661'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit }), fc.boolean(), (text, encoded) => {
        let prepared: string;
        try {
          prepared = domainName(encoded ? `xn--${text}` : text);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
          return;
        }
        expect(domainName(prepared)).toBe(prepared);
      }),
      { numRuns: 3000 },
    );
  });
});
