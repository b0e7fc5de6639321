import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessageHeader } from './message-header.ts';

const v2c = Buffer.from(
  '302902010104067075626c6963a01c02044b2c1f0e020100020100300e300c06082b060102010101000500',
  'hex',
);

describe('the header of a message', () => {
  it('names a community', () => {
    expect(readMessageHeader(v2c)).toEqual({ version: 1, community: 'public' });
  });

  it('is none where something is missing', () => {
    for (let length = 0; length < 15; length++) expect(readMessageHeader(v2c.subarray(0, length))).toBe('garbage');
    for (const hex of ['', '30', '3080', '30850102030405', '3003020103', '30050201030400']) {
      expect(readMessageHeader(Buffer.from(hex, 'hex'))).toBe('garbage');
    }
  });

  it('is none of another version, nor of one with room for less than everybody has to take (RFC 3412 §6)', () => {
    expect(readMessageHeader(Buffer.from('3003020104', 'hex'))).toBe('version');
    const element = (kind: number, ...parts: (Buffer | number)[]) => {
      const octets = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
      return Buffer.concat([Buffer.from([kind, octets.length]), octets]);
    };
    const v3 = (maxSize: number[], flags = 7) => {
      const globalData = element(0x30, element(2, 1), element(2, ...maxSize), element(4, flags), element(2, 3));
      const usm = element(
        0x30,
        element(4, Buffer.from('12')),
        element(2, 3),
        element(2, 0, 0xff),
        element(4, Buffer.from('u')),
      );
      return element(0x30, element(2, 3), globalData, element(4, usm), element(4));
    };
    const engine = { engineId: Buffer.from('12'), engineBoots: 3, engineTime: 255, user: 'u' };
    expect(readMessageHeader(v3([1, 0xe4]))).toEqual({ version: 3, ...engine, secured: true });
    expect(readMessageHeader(v3([1, 0xe4], 1))).toMatchObject({ secured: false });
    expect(readMessageHeader(v3([1, 0xe3]))).toBe('garbage');
    expect(readMessageHeader(v3([0xff, 0xff]))).toBe('garbage'); // -1
  });

  it('is read from anything without harm', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readMessageHeader(Buffer.from(octets))));
  });
});
