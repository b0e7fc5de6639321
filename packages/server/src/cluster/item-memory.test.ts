import fc from 'fast-check';
import { expect, test } from 'vitest';
import { itemWithText } from './item-memory.ts';

test('each item has its own bytes, whatever comes after it', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('é'.repeat(5000)));
  fc.assert(
    fc.property(fc.array(fc.record({ head: fc.nat(30), text }), { maxLength: 60 }), (wanted) => {
      const items = wanted.map(({ head, text: written }, index) => {
        const item = itemWithText(head, written);
        item.fill(index, 0, head);
        return item;
      });
      const expected = wanted.map(({ head, text: written }, index) =>
        Buffer.concat([Buffer.alloc(head, index), Buffer.from(written)]),
      );
      expect(items).toEqual(expected);
    }),
  );
});

test('a long one keeps no more in memory than it is', () => {
  const item = itemWithText(14, 'x'.repeat(100_000));
  expect([item.length, item.buffer.byteLength]).toEqual([100_014, 100_014]);
});
