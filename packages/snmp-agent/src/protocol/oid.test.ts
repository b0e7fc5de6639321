import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOids, isWithin, oidText, parseOid, textIndex } from './oid.ts';

const oids = fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 12 });

describe('object identifiers', () => {
  it('are read and written', () => {
    expect(parseOid('.1.3.6.4294967295')).toEqual([1, 3, 6, 0xffff_ffff]);
    fc.assert(fc.property(oids, (oid) => void expect(parseOid(oidText(oid))).toEqual(oid)));
  });

  it.each(['', '1..3', '1.3.x', '1.4294967296', '-1', '1.3 ', Array(129).fill(1).join('.')])('are not: %s', (text) => {
    expect(() => parseOid(text)).toThrow(RangeError);
  });

  it('have the order of a walk', () => {
    const sorted = [[1], [1, 2], [1, 2, 0], [1, 3], [1, 10], [2]];
    expect(sorted.toReversed().sort(compareOids)).toEqual(sorted);
    fc.assert(fc.property(oids, oids, (a, b) => Math.sign(compareOids(a, b)) === -Math.sign(compareOids(b, a))));
  });

  it('lie in a subtree, or not', () => {
    expect([
      isWithin([1, 3, 6], [1, 3]),
      isWithin([1, 3], [1, 3]),
      isWithin([1], [1, 3]),
      isWithin([1, 4], [1, 3]),
    ]).toEqual([true, true, false, false]);
  });

  it('may end with a text', () => {
    expect(textIndex('né')).toEqual([3, 110, 195, 169]);
    expect(textIndex('né', true)).toEqual([110, 195, 169]);
  });
});
