import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority } from '../stream/testing.ts';
import { DER, DerError, DerReader, derTime } from './der-reader.ts';
import { RevocationList } from './revocation-list.ts';

let authority: CertificateAuthority;
let der: Buffer;
beforeAll(async () => {
  authority = await CertificateAuthority.make();
  const pem = await authority.revoked([1, 0x00ff, 70_000], Date.UTC(2027, 0, 2, 3, 4, 5));
  der = Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
});

test('a list', async () => {
  const list = new RevocationList(der);
  expect(list.until).toBe(Date.UTC(2027, 0, 2, 3, 4, 5));
  expect(list.from).toBe(Date.UTC(2027, 0, 1, 3, 4, 5));
  expect(list.partial).toBe(false);
  expect(['01', '1', 'FF', '00ff', '011170'].map((serial) => list.has(serial))).toEqual([true, true, true, true, true]);
  expect(['00', '02', '0f', 'fff'].some((serial) => list.has(serial))).toBe(false);
  expect(list.isSignedWith(new X509Certificate(authority.cert).publicKey)).toBe(true);
  const other = await CertificateAuthority.make();
  expect(list.isSignedWith(new X509Certificate(other.cert).publicKey)).toBe(false);
});

test('whatever becomes of its bytes, it is a list, or it is known to be none', () => {
  const key = new X509Certificate(authority.cert).publicKey;
  const tried = (bytes: Buffer): 'list' | 'none' => {
    try {
      const list = new RevocationList(bytes);
      expect(list.isSignedWith(key)).toBe(false);
      return 'list';
    } catch (error) {
      expect(error).toBeInstanceOf(DerError);
      return 'none';
    }
  };
  const told = new Set<string>();
  for (let at = 0; at < der.length; at++) {
    told.add(tried(der.subarray(0, at)));
    for (const bits of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ bits;
      // the padding of a signature's numbers is no part of what it says
      if (!sameSignature(changed)) told.add(tried(changed));
    }
  }
  expect([...told].sort()).toEqual(['list', 'none']);
});

/** Where a change has left all that matters as it was. */
function sameSignature(changed: Buffer): boolean {
  try {
    return new RevocationList(changed).isSignedWith(new X509Certificate(authority.cert).publicKey);
  } catch {
    return false;
  }
}

describe('values', () => {
  const reader = (...bytes: number[]) => new DerReader(Buffer.from(bytes));

  test('one behind the other', () => {
    const values = reader(0x02, 0x01, 0x05, 0x30, 0x81, 0x02, 0x01, 0x00);
    expect(values.optional(DER.sequence)).toBeUndefined();
    expect(values.next(DER.integer).content).toEqual(Buffer.from([5]));
    expect(values.next().whole).toHaveLength(5);
    expect(values.done).toBe(true);
    expect(values.optional(DER.integer)).toBeUndefined();
  });

  test.each<[string, number[]]>([
    ['nothing', []],
    ['a tag alone', [2]],
    ['less than it says', [2, 3, 1, 1]],
    ['no length', [0x30, 0x80, 0, 0]],
    ['a huge length', [2, 0x85, 1, 1, 1, 1, 1, 1]],
    ['a length that ends too early', [2, 0x84, 1]],
    ['another tag', [4, 0]],
  ])('%s is none', (_, bytes) => {
    expect(() => reader(...bytes).next(DER.integer)).toThrow(DerError);
  });

  test('times', () => {
    const time = (tag: number, text: string) => derTime({ tag, content: Buffer.from(text) });
    expect(time(DER.utcTime, '491231235959Z')).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
    expect(time(DER.utcTime, '500101000000Z')).toBe(Date.UTC(1950, 0, 1));
    expect(time(DER.generalizedTime, '20510203040506Z')).toBe(Date.UTC(2051, 1, 3, 4, 5, 6));
    for (const text of ['', '491231235959', '4912312359Z', '20510203040506Z']) {
      expect(() => time(DER.utcTime, text)).toThrow(DerError);
    }
  });
});
