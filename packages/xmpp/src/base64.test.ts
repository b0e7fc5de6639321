import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBase64 } from './base64.ts';

test.each(['', 'AA==', 'AAA=', 'AAAA', 'biws', '+/+/'])('%j is base64', (text) => {
  expect(decodeBase64(text)?.toString('base64')).toBe(text);
});

test.each([
  'A',
  'AA',
  'AAA',
  'AA=',
  'AA==AA==',
  'AB==',
  'AAB=',
  'A-_A',
  ' AAAA',
  'AAAA\n',
  'AA\u00e9A',
  '=',
  '====',
  'AAA==',
])('%j is none', (text) => {
  expect(decodeBase64(text)).toBeUndefined();
});

test('every byte string comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase64(Buffer.from(bytes).toString('base64'))).toEqual(Buffer.from(bytes));
    }),
  );
});
