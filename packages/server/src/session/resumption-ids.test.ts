import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ResumptionIds } from './resumption-ids.ts';

const ids = new ResumptionIds(Buffer.alloc(32, 1));
const juliet = 'juliet@capulet.lit';
const SID = '0123456789abcdef';

it('names a session for its account alone', () => {
  const id = ids.idOf(juliet, SID);
  expect(ids.read(juliet, id)).toBe(SID);
  expect(ids.read('romeo@capulet.lit', id)).toBeUndefined();
  expect(ids.read('juliet@capulet.net', id)).toBeUndefined();
  expect(new ResumptionIds(Buffer.alloc(32, 2)).read(juliet, id)).toBeUndefined();
  expect(id).toMatch(/^[0-9a-f]{16}[\w-]{22}$/);
});

it('is the same on all nodes, since all have the same secret', () => {
  expect(new ResumptionIds(Buffer.alloc(32, 1)).idOf(juliet, SID)).toBe(ids.idOf(juliet, SID));
});

it('reads nothing else', () => {
  const id = ids.idOf(juliet, SID);
  const others = [
    '',
    'x',
    SID,
    id.slice(0, -4),
    `${id}AAAA`,
    id.toUpperCase(),
    `${'0'.repeat(16)}${id.slice(16)}`,
    `é${id}`,
  ];
  for (const other of others) expect(ids.read(juliet, other)).toBeUndefined();
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => ids.read(juliet, text) === undefined));
  fc.assert(
    fc.property(fc.nat(id.length - 1), fc.base64String({ minLength: 4, maxLength: 4 }), (place, [letter = '']) => {
      fc.pre(id[place] !== letter);
      return ids.read(juliet, id.slice(0, place) + letter + id.slice(place + 1)) === undefined;
    }),
  );
});
