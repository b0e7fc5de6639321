import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  accountKey,
  encodePart,
  globalKey,
  hashTag,
  PARTITIONS,
  partition,
  partitionKey,
  partitionTag,
} from './key.ts';

test('the partition is FNV-1a over the UTF-8 bytes', () => {
  // The published test vectors of FNV-1a, 32 bits.
  expect(partition('')).toBe(0x811c9dc5 % 1024);
  expect(partition('a')).toBe(0xe40c292c % 1024);
  expect(partition('foobar')).toBe(0xbf9cf968 % 1024);
});

test('text beyond ASCII counts by its bytes', () => {
  const slow = (text: string) => {
    let hash = 0x811c9dc5n;
    for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
    return Number(hash % BigInt(PARTITIONS));
  };
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => partition(text) === slow(text)));
});

test('accounts spread over the partitions', () => {
  const counts = new Array<number>(PARTITIONS).fill(0);
  for (let user = 0; user < 100_000; user += 1) {
    const number = partition(`user${user}@montague.lit`);
    counts[number] = (counts[number] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(50);
  expect(Math.max(...counts)).toBeLessThan(160);
});

test('keys are as the documents show them', () => {
  const number = partition('romeo@montague.lit');
  expect(accountKey('roster', 'romeo@montague.lit')).toBe(`roster:{p${number}}:romeo@montague.lit`);
  expect(accountKey('journal', 'romeo@montague.lit', 'f00', '7')).toBe(`journal:{p${number}}:romeo@montague.lit:f00:7`);
  expect(partitionKey('detached', 5)).toBe('detached:{p5}');
  expect(globalKey('nodes')).toBe('nodes:{global}');
  expect(globalKey('node', 'n1.7:x')).toBe('node:{global}:n1.7%3Ax');
  expect(() => partitionTag(PARTITIONS)).toThrow(RangeError);
  for (const name of ['', 'A', 'a:b', '{', 'a b']) expect(() => globalKey(name)).toThrow(TypeError);
});

test('what means something in a key is encoded', () => {
  expect(encodePart('plain@text.lit/ü🌻')).toBe('plain@text.lit/ü🌻');
  expect(encodePart('%:{}*')).toBe('%25%3A%7B%7D%2A');
  expect(encodePart('a\n\0\x7f\x85')).toBe('a%0A%00%7F%85');
  expect(encodePart('\ud800')).toBe('%uD800');
});

const part = fc.oneof(
  fc.string({ unit: fc.constantFrom('%', ':', '{', '}', '*', 'a', '2', '5', '\n', 'u', 'D', '\ud800', '\udc00', 'ü') }),
  fc.string({ unit: 'binary' }),
);
const arguments_ = fc.tuple(fc.constantFrom('a', 'b', 'a-b'), part, fc.array(part, { maxLength: 3 }));

test('different accounts and parts give different keys, as text and as bytes', () => {
  const bytes = (text: string) => Buffer.from(text).toString('hex');
  fc.assert(
    fc.property(arguments_, arguments_, ([name, bare, parts], [otherName, otherBare, otherParts]) => {
      const same = JSON.stringify([name, bare, parts]) === JSON.stringify([otherName, otherBare, otherParts]);
      const key = accountKey(name, bare, ...parts);
      return (bytes(key) === bytes(accountKey(otherName, otherBare, ...otherParts))) === same;
    }),
    { numRuns: 2000 },
  );
});

test('a key tells its arguments back', () => {
  const decode = (text: string) =>
    text.replace(/%(?:u(D[0-9A-F]{3})|([0-9A-F]{2}))/g, (_, wide, narrow) =>
      String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
    );
  fc.assert(
    fc.property(arguments_, ([name, bare, parts]) => {
      const [first, tag, ...rest] = accountKey(name, bare, ...parts).split(':');
      expect([first, ...rest.map(decode)]).toEqual([name, bare, ...parts]);
      expect(tag).toBe(partitionTag(partition(bare)));
    }),
    { numRuns: 2000 },
  );
});

test('no text from outside decides where a key lies', () => {
  fc.assert(
    fc.property(arguments_, ([name, bare, parts]) => {
      expect(`{${hashTag(accountKey(name, bare, ...parts))}}`).toBe(partitionTag(partition(bare)));
    }),
  );
});

test('the tag of a key is found as Redis finds it', () => {
  expect(hashTag('a:{p1}:b{c}')).toBe('p1');
  expect(hashTag('plain')).toBe('plain');
  expect(hashTag('a{}b{c}')).toBe('a{}b{c}');
  expect(hashTag('a{b')).toBe('a{b');
});
