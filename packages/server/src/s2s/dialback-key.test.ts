import { expect, test } from 'vitest';
import { dialbackKeys, sameKey } from './dialback-key.ts';

test.each([
  // XEP-0185 §4
  [
    's3cr3tf0rd14lb4ck',
    'xmpp.example.com',
    'example.org',
    'D60000229F',
    '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643',
  ],
  // XEP-0220 §2.1.1 and §2.2.2
  [
    's3cr3tf0rd14lb4ck',
    'montague.example',
    'capulet.example',
    'D60000229F',
    'b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3',
  ],
  [
    'd14lb4ck43v3r',
    'capulet.example',
    'montague.example',
    '417GAF25',
    '225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d',
  ],
])('a key of %s for %s', (secret, receiving, originating, streamId, key) => {
  expect(dialbackKeys(secret)(receiving, originating, streamId)).toBe(key);
});

test('every part of it counts', () => {
  const key = dialbackKeys(Buffer.from('secret'));
  const keys = [
    key('a.example', 'b.example', 'id'),
    key('b.example', 'a.example', 'id'),
    key('a.example', 'b.example', 'ie'),
    key('a.example', 'b', 'example id'),
    dialbackKeys('another')('a.example', 'b.example', 'id'),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('keys are compared whole', () => {
  expect(sameKey('abc', 'abc')).toBe(true);
  for (const other of ['', 'abd', 'ab', 'abcd', 'ABC']) expect(sameKey('abc', other)).toBe(false);
});
