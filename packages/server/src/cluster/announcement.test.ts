import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnnouncedSession } from './announced-session.ts';
import {
  encodeBeat,
  encodeChanges,
  encodePage,
  encodeRequest,
  inPages,
  openAnnouncement,
  putRecord,
  readChanges,
  readItem,
  removedRecord,
  sessionBytes,
} from './announcement.ts';
import { sessionOf } from './simulated-members.ts';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const since = fc.oneof(number, fc.constant(Number.POSITIVE_INFINITY));
const sid = fc.stringMatching(/^[0-9a-f]{16}$/);
const session: fc.Arbitrary<AnnouncedSession> = fc.record({
  sid,
  epoch: number,
  jid: fc.stringMatching(/^[a-zäß0-9 ]{0,20}[a-z]$/).map((resource) => Jid.of('üser', 'example.org', resource)),
  boundAt: number,
  priority: fc.integer({ min: -128, max: 127 }),
  interested: fc.boolean(),
  carbonsSince: since,
  receivingSince: since,
  detached: fc.boolean(),
  resumable: fc.boolean(),
  presence: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
});
const change = fc.oneof(
  session.map((put) => ({ put })),
  sid.map((removed) => ({ removed })),
);
const recordOf = (one: { put: AnnouncedSession } | { removed: string }) =>
  'put' in one ? putRecord(one.put) : removedRecord(one.removed);

/** Whatever may be sent, as bytes, with what reads it. */
const message = fc.oneof(
  number.map((last) => ({ bytes: encodeBeat(last), read: readBroadcast })),
  fc
    .tuple(number, fc.array(change, { maxLength: 3 }))
    .map(([n, changes]) => ({ bytes: encodeChanges(n, changes.map(recordOf)), read: readBroadcast })),
  fc.tuple(number, number).map(([id, page]) => ({ bytes: encodeRequest(id, page), read: readItem })),
  fc.tuple(number, fc.boolean(), fc.array(session, { maxLength: 3 })).map(([n, last, sessions]) => ({
    bytes: encodePage({ id: n, page: n, asOf: n, last }, sessions.map(sessionBytes)),
    read: readItem,
  })),
);

function readBroadcast(bytes: Buffer): void {
  const announcement = openAnnouncement(bytes);
  if (announcement.kind === 'changes') readChanges(announcement);
}

const failure = (bytes: Buffer, read: (bytes: Buffer) => unknown) => {
  try {
    read(bytes);
    return undefined;
  } catch (error) {
    return error instanceof KeyspaceError ? error.failure : error;
  }
};

describe('an announcement', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(number, fc.array(change, { maxLength: 5 }), (n, changes) => {
        const announcement = openAnnouncement(encodeChanges(n, changes.map(recordOf)));
        expect(announcement).toMatchObject({ kind: 'changes', number: n });
        expect(readChanges(announcement)).toEqual(changes);
        expect(openAnnouncement(encodeBeat(n))).toMatchObject({ kind: 'beat', number: n });
      }),
    );
  });

  it('is damaged where anything is missing or left over', () => {
    fc.assert(
      fc.property(message, fc.nat(), ({ bytes, read }, place) => {
        expect(failure(bytes, read)).toBeUndefined();
        expect(failure(bytes.subarray(0, place % bytes.length), read)).toBe('damaged');
        expect(failure(Buffer.concat([bytes, Buffer.of(0)]), read)).toBe('damaged');
      }),
    );
  });

  it('is either read or damaged, whatever has become of its bytes', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat({ max: 255 }), ({ bytes, read }, place, byte) => {
        bytes[place % bytes.length] = byte;
        expect(['damaged', undefined]).toContain(failure(bytes, read));
      }),
      { numRuns: 1000 },
    );
  });

  it('is damaged with an address that is none, or has no resource', () => {
    const bytes = encodeChanges(1, [
      putRecord(sessionOf('0123456789abcdef', { jid: Jid.parse('user@example.org/x') })),
    ]);
    const withAddress = (text: string) =>
      Buffer.from(bytes.toString('latin1').replace('user@example.org/x', text), 'latin1');
    expect(failure(withAddress('user@example.org/y'), readBroadcast)).toBeUndefined();
    expect(failure(withAddress('user@example.org.x'), readBroadcast)).toBe('damaged');
    expect(failure(withAddress('user@example..rg/x'), readBroadcast)).toBe('damaged');
  });

  it('does not say that it was in the keyspace', () => {
    expect(() => openAnnouncement(Buffer.of(2))).toThrow(
      'An announcement of another node cannot be read: its format is 2, and this version of the server reads 1.',
    );
  });
});

describe('the pages of a snapshot', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(number, fc.boolean(), fc.array(session, { maxLength: 5 }), (n, last, sessions) => {
        const header = { id: n, page: 3, last, asOf: 7 };
        const bytes = encodePage(header, sessions.map(sessionBytes));
        expect(readItem(bytes)).toEqual({ kind: 'page', ...header, sessions });
        expect(readItem(encodeRequest(n, 3))).toEqual({ kind: 'request', id: n, page: 3 });
      }),
    );
  });

  it('hold 256 KB at most, or one record that is larger', () => {
    const sizes = fc.array(fc.oneof(fc.nat({ max: 100_000 }), fc.constantFrom(262_144, 262_145, 400_000)), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(sizes, (list) => {
        const records = list.map((size) => Buffer.allocUnsafe(size));
        const pages: Buffer[][] = [];
        const split = inPages(records);
        for (let done: boolean | undefined = false; !done; ) {
          const result = split.next();
          done = result.done;
          pages.push(result.value);
        }
        expect(pages.flat().length).toBe(records.length);
        expect(pages.flat().every((record, index) => record === records[index])).toBe(true);
        for (const page of pages) {
          const bytes = page.reduce((sum, record) => sum + record.length, 0);
          expect(page.length === 1 || bytes <= 256 * 1024).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
