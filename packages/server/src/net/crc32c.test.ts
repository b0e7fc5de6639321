import { expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';

// RFC 3720, appendix B.4
it.each([
  ['nothing', Buffer.alloc(0), 0],
  ['digits', Buffer.from('123456789'), 0xe3069283],
  ['zeroes', Buffer.alloc(32), 0x8a9136aa],
  ['ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['a rising row', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
])('of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
  expect(crc32c(bytes.subarray(5), crc32c(bytes.subarray(0, 5)))).toBe(expected);
});
