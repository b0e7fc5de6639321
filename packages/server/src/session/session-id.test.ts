import fc from 'fast-check';
import { expect, test } from 'vitest';
import { putSessionId, sessionIdAt } from './session-id.ts';

const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 });

test('an id is its eight bytes, and they are the id, remembered or not', () => {
  fc.assert(
    fc.property(fc.array(bytes), fc.nat(3), (ids, at) => {
      for (const id of [...ids, ...ids]) {
        const expected = Buffer.from(id).toString('hex');
        const place = Buffer.alloc(12, 0xee);
        putSessionId(place, at, expected);
        expect(place.toString('hex', at, at + 8)).toBe(expected);
        expect(sessionIdAt(place, at)).toBe(expected);
      }
    }),
  );
});

test('of two that belong in the same place each is found', () => {
  for (let round = 0; round < 3; round++) {
    for (const text of ['00000000000fffff', '00000001000fffff', '00000000100fffff']) {
      expect(sessionIdAt(Buffer.from(text, 'hex'), 0)).toBe(text);
    }
  }
});

test.each([
  '',
  '0123456789abcde',
  '0123456789abcdef0',
  '0123456789abcdeF',
  '0123456789abcdeg',
  '0123456789abcde\u0130',
])('what is no id is not written: %s', (text) =>
  expect(() => putSessionId(Buffer.alloc(8), 0, text)).toThrow(RangeError),
);

test('where fewer than eight bytes are left there is none', () => {
  expect(() => sessionIdAt(Buffer.alloc(10), 3)).toThrow(RangeError);
});
