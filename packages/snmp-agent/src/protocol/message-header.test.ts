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
    for (let length = 0; length < 15; length++) expect(readMessageHeader(v2c.subarray(0, length))).toBeUndefined();
    for (const hex of ['', '30', '3080', '30850102030405', '3003020104', '3003020103', '30050201030400']) {
      expect(readMessageHeader(Buffer.from(hex, 'hex'))).toBeUndefined();
    }
  });

  it('is read from anything without harm', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readMessageHeader(Buffer.from(octets))));
  });
});
