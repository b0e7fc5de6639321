import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { BackupReader } from './backup-reader.ts';

const line = (value: object) => Buffer.from(`${JSON.stringify(value)}\n`);
const content = Buffer.from('what is inside\n\n{"sha256":"x"}\n');

function backup(change: object = {}): Buffer {
  const header = line({
    'parley-backup': 1,
    version: '0.1.0',
    created: 'x',
    domains: ['a'],
    bytes: content.length,
    ...change,
  });
  const sha256 = createHash('sha256').update(header).update(content).digest('hex');
  return Buffer.concat([header, content, line({ sha256 })]);
}

/** What is inside, of bytes that come in pieces of this size. */
function read(bytes: Buffer, size = 1000): string {
  const reader = new BackupReader();
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(Buffer.from(reader.take(bytes.subarray(at, at + size))));
  reader.end();
  return Buffer.concat(pieces).toString();
}

it('gives what is inside, however it comes', () => {
  for (const size of [1, 3, 50, 1000]) expect(read(backup(), size)).toBe(content.toString());
});

it('refuses every backup of which one byte is another, or that is cut off anywhere', () => {
  const whole = backup();
  for (let at = 0; at < whole.length - 1; at++) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => read(changed), `byte ${at}`).toThrow();
    expect(() => read(whole.subarray(0, at)), `${at} bytes`).toThrow();
  }
});

it.each([
  ['of a newer form', backup({ 'parley-backup': 2, version: '9.0.0' }), /made by version 9\.0\.0/],
  ['with more behind it', Buffer.concat([backup(), Buffer.alloc(2_000_000)]), /more in this backup/],
  ['without a size', backup({ bytes: 'x' }), /no backup/],
  ['that is something else', Buffer.from('SQLite format 3\0\n'), /no backup/],
  ['of one long line', Buffer.alloc(2_000_000, 'x'), /no backup/],
  ['of nothing', Buffer.alloc(0), /no backup/],
])('refuses one %s', (_, bytes, words) => {
  expect(() => read(bytes, 100_000)).toThrow(words);
});
