// What others send or publish may be anything. Whatever it is, it is read, or known to be no good, in little time.
import { X509Certificate } from 'node:crypto';
import dns from 'dns-packet';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, nameConstraints, otherName, plainName, xmppAddress } from '../stream/testing.ts';
import { certificateNames, standsFor } from './certificate-verdict.ts';
import { DerError, DerReader } from './der-reader.ts';
import { permits } from './name-constraints.ts';
import { PoshDocumentError, poshDocument } from './posh-document.ts';
import { isUsable, matchingRecord, type TlsaRecord } from './tlsa.ts';

let authority: X509Certificate;
let certificate: Buffer;
beforeAll(async () => {
  const made = await CertificateAuthority.make('Limited', nameConstraints([[2, 'good.example']], [[2, 'bad.example']]));
  authority = new X509Certificate(made.cert);
  const names = [plainName(2, 'good.example'), plainName(2, '*.good.example'), xmppAddress('good.example')];
  const { cert } = await made.issue(...names, otherName('1.2.3', plainName(2, 'x')));
  certificate = new X509Certificate(cert).raw;
});

/** Some bytes, with a few of them changed, taken out, or put in. */
const damaged = (original: () => Buffer) =>
  fc
    .array(fc.record({ at: fc.nat(), with: fc.uint8Array({ maxLength: 4 }), instead: fc.nat(4) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((changes) => {
      let bytes = original();
      for (const change of changes) {
        const at = change.at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, at), change.with, bytes.subarray(at + change.instead)]);
      }
      return bytes;
    });

/** Values in values: lengths that fit, and some that do not. */
const nested: fc.Arbitrary<Buffer> = fc.letrec<{ value: Buffer }>((tie) => ({
  value: fc
    .tuple(
      fc.constantFrom(0x02, 0x03, 0x06, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa3, 0x1f, 0x80),
      fc.oneof(
        { depthSize: 'medium', withCrossShrink: true },
        fc.uint8Array({ maxLength: 20 }),
        fc.array(tie('value')),
      ),
      fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -3, max: 200 }) }),
    )
    .map(([tag, inside, wrong]) => {
      const content = Array.isArray(inside) ? Buffer.concat(inside) : Buffer.from(inside);
      const length = Math.min(255, Math.max(0, content.length + wrong));
      const head = length < 0x80 ? [tag, length] : [tag, 0x81, length];
      return Buffer.concat([Buffer.from(head), content]);
    }),
})).value;

function walk(reader: DerReader, depth = 0): number {
  let count = 0;
  while (!reader.done) {
    const { tag, whole, content } = reader.next();
    expect(content.length).toBeLessThan(whole.length);
    count += 1 + ((tag & 0x20) !== 0 && depth < 50 ? walk(new DerReader(content), depth + 1) : 0);
  }
  return count;
}

test('values of DER are read to their end, or are none', () => {
  fc.assert(
    fc.property(fc.oneof(nested, fc.uint8Array({ maxLength: 200 }).map(Buffer.from)), (bytes) => {
      try {
        expect(walk(new DerReader(bytes))).toBeLessThanOrEqual(50 * bytes.length);
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
      }
    }),
    { numRuns: 1000 },
  );
});

describe('a certificate', () => {
  const bytes = () =>
    fc.oneof(
      damaged(() => certificate),
      nested,
      fc.uint8Array({ maxLength: 300 }).map(Buffer.from),
    );

  test('has names, or none, and stands for nobody else by what becomes of it', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(), async (der) => {
        const names = await certificateNames(der);
        for (const { text } of names) expect(typeof text).toBe('string');
        expect(standsFor(names, 'other.example')).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('is permitted by an authority with constraints only where both can be read', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(), async (der) => {
        expect(typeof (await permits(authority.raw, der))).toBe('boolean');
        expect(typeof (await permits(der, certificate))).toBe('boolean');
      }),
      { numRuns: 300 },
    );
  });

  test('fits no TLSA record that it does not fit', async () => {
    const subject = {
      certificate: authority,
      fault: undefined,
      domain: 'good.example',
      hosts: ['good.example'],
      roots: () => [authority],
    };
    const record: fc.Arbitrary<TlsaRecord> = fc.record({
      usage: fc.nat(5),
      selector: fc.nat(2),
      matching: fc.nat(3),
      data: fc.oneof(
        damaged(() => authority.raw),
        fc.uint8Array({ minLength: 32, maxLength: 64 }).map(Buffer.from),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 5 }), async (records) => {
        const usable = records.filter(isUsable).filter(({ data }) => !data.equals(authority.raw));
        expect(await matchingRecord(usable, subject)).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

test('a POSH file says something, or is none', () => {
  const some = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({ fingerprints: fc.anything(), url: fc.anything(), expires: fc.anything() }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value) ?? ''),
  );
  fc.assert(
    fc.property(some, (text) => {
      try {
        expect(poshDocument(text).seconds).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(PoshDocumentError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a DNS message is read, or is none, and never without end', () => {
  const message = dns.encode({
    type: 'response',
    id: 1,
    flags: 0x180,
    questions: [{ type: 'TLSA', name: '_5269._tcp.xmpp.example', class: 'IN' }],
    answers: [
      { type: 'CNAME', name: '_5269._tcp.xmpp.example', data: 'a.example', ttl: 1 },
      {
        type: 'TLSA',
        name: 'a.example',
        ttl: 1,
        data: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) },
      },
    ],
  });
  const begun = process.threadCpuUsage(); // whatever else the machine has to do
  fc.assert(
    fc.property(
      fc.oneof(
        damaged(() => message),
        fc.uint8Array({ maxLength: 300 }).map(Buffer.from),
      ),
      (bytes) => {
        try {
          dns.decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      },
    ),
    { numRuns: 2000 },
  );
  expect(process.threadCpuUsage(begun).user).toBeLessThan(20_000_000);
});
