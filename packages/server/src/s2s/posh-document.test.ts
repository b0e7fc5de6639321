import { expect, test } from 'vitest';
import { PoshDocumentError, poshDocument } from './posh-document.ts';

const PRINT = Buffer.alloc(32, 7).toString('base64');

const read = (value: unknown) => poshDocument(typeof value === 'string' ? value : JSON.stringify(value));

test('fingerprints', () => {
  expect(read({ fingerprints: [{ 'sha-1': 'x', 'sha-256': PRINT }, { 'sha-512': 'y' }], expires: 60 })).toEqual({
    kind: 'fingerprints',
    sha256: [Buffer.alloc(32, 7)],
    seconds: 60,
  });
});

test('where the fingerprints are', () => {
  expect(read({ url: 'https://b.example/posh.json', expires: 60 })).toEqual({
    kind: 'reference',
    url: new URL('https://b.example/posh.json'),
    seconds: 60,
  });
});

test.each<[unknown, RegExp]>([
  ['', /not JSON/],
  ['{"expires": 1', /not JSON/],
  ['null', /no JSON object/],
  ['"x"', /no JSON object/],
  [[], /how long/],
  [{ fingerprints: [{ 'sha-256': PRINT }] }, /how long/],
  [{ fingerprints: [{ 'sha-256': PRINT }], expires: 0 }, /how long/],
  [{ fingerprints: [{ 'sha-256': PRINT }], expires: -5 }, /how long/],
  [{ fingerprints: [{ 'sha-256': PRINT }], expires: '60' }, /how long/],
  [{ fingerprints: [], expires: 60 }, /no fingerprint/],
  [{ fingerprints: [null, 1, 'x', [], { 'sha-1': PRINT }], expires: 60 }, /no fingerprint/],
  [{ fingerprints: [{ 'sha-256': PRINT.slice(4) }], expires: 60 }, /no fingerprint/],
  [{ fingerprints: [{ 'sha-256': Buffer.alloc(32).toString('hex') }], expires: 60 }, /no fingerprint/],
  [{ fingerprints: [{ 'sha-256': [PRINT] }], expires: 60 }, /no fingerprint/],
  [{ fingerprints: 'x', expires: 60 }, /neither/],
  [{ url: 5, expires: 60 }, /neither/],
  [{ url: `https://b.example/${'x'.repeat(3000)}`, expires: 60 }, /neither/],
  [{ url: 'http://b.example/', expires: 60 }, /https/],
  [{ url: 'file:///etc/passwd', expires: 60 }, /https/],
  [{ url: 'https://user:secret@b.example/', expires: 60 }, /https/],
  [{ url: 'b.example', expires: 60 }, /https/],
])('%j is none', (value, message) => {
  expect(() => read(value)).toThrow(PoshDocumentError);
  expect(() => read(value)).toThrow(message);
});

test('of very many fingerprints the first count', () => {
  const fingerprints = Array.from({ length: 5000 }, () => ({ 'sha-256': PRINT }));
  expect(read({ fingerprints, expires: 60 })).toMatchObject({ sha256: { length: 100 } });
});
