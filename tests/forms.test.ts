// Whatever leaves a process is read by nodes of the neighbouring versions, and sessions that were written by one of them
// are resumed by another. So the bytes that each form has are kept here. Where a form changes (decision 20 says how), its
// old bytes stay, to be read, and the new ones come beside them.

import * as announcement from '@parley/server/cluster/announcement';
import { channelFrame, readChannelFrame } from '@parley/server/cluster/channel-frame';
import { frameHead, readFrame } from '@parley/server/cluster/frame';
import * as items from '@parley/server/cluster/items';
import { describeMember, framesOf, memberOf, readEntry, writeEntry } from '@parley/server/cluster/member';
import { decodeOffer, encodeOffer } from '@parley/server/session/offer';
import { decodeEntry, encodeEntry } from '@parley/server/session/resumption/journal-entry';
import { decodeHeader, encodeHeader } from '@parley/server/session/resumption/journal-header';
import { decodeRecord, encodeRecord, ownerOf } from '@parley/server/session/resumption/resumption-record';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';

const [SID, OTHER, OWNER] = ['0011223344556677', '8899aabbccddeeff', 'fedcba9876543210'];
const ORIGIN = { sid: OTHER, k: 4_294_967_295, effect: 1 };
const AT = 1_700_000_000_123;
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NONE = Buffer.alloc(0);
const { ITEM } = items;

const record = {
  ...{ resource: 'balcony', sid: SID, epoch: 300, maxSeconds: 600, mechanism: 'SCRAM-SHA-256' },
  ...{ carbons: true, interested: true, receiving: true, inactive: true },
  ...{
    presence: "<presence xmlns='jabber:client'/>",
    directed: ['romeo@montague.lit', 'née@capulet.lit/x'],
    boundAt: AT,
  },
};
const header = { handled: 7, origins: new Map([[`${OTHER}.1`, 4_294_967_295]]), sent: 9 };
const counted = { ...header, counts: { entered: 300, delivered: 200, moved: 60, bounced: 8 } };
const entry = { out: 5, origin: ORIGIN, at: AT, text: '<message><body>é</body></message>' };
const member = { id: OWNER, name: 'one', startedAt: 5, frames: { oldest: 1, newest: 2 }, version: '1.2.3' };
const memberEntry = { id: OWNER, state: 'alive', since: AT, beat: '17', reaper: '-', about: '{}' } as const;
const session = {
  ...{ sid: SID, epoch: 2, jid: Jid.parse('juliet@capulet.lit/balcony'), boundAt: AT, priority: -128 },
  ...{ interested: true, carbonsSince: AT, receivingSince: AT + 1, detached: true, resumable: true },
  presence: record.presence,
};
const news = { own: 3, peer: 200, hello: false, ask: true, received: 1000, first: 20 };
const page = { id: 4, page: 1, last: true, asOf: 12 };
const deliver = { id: 6, sid: SID, first: true, origin: ORIGIN };
const answers = [
  { id: 1, done: true },
  { id: 2, done: false },
];
const notice = { id: 8, subject: 'roster.changed', text: 'juliet@capulet.lit' };
const offer = { owner: OWNER, sid: SID, epoch: 300, account: Jid.parse('juliet@capulet.lit') };

const RECORD_BEFORE =
  '010011223344556677ac02fedcba9876543210d8041f0d534352414d2d5348412d323536213c70726573656e636520786d6c6e733d276a61626265723a636c69656e74272f3e0212726f6d656f406d6f6e74616775652e6c6974126ec3a96540636170756c65742e6c69742f78';

const changesOf = (bytes: Buffer) => {
  const opened = announcement.openAnnouncement(bytes);
  return { number: opened.number, changes: announcement.readChanges(opened) };
};
const beatOf = (bytes: Buffer) => {
  const { kind, number } = announcement.openAnnouncement(bytes);
  return { kind, number };
};
const put = () => announcement.encodeChanges(3, [announcement.putRecord(session), announcement.removedRecord(OTHER)]);

/** Name, bytes, what is written now, what is read of the bytes, and what that has to be. */
const forms: [string, string, () => Buffer | string, (bytes: Buffer) => unknown, unknown][] = [
  [
    'the record of a session',
    '020011223344556677ac02fedcba9876543210d8041f0d534352414d2d5348412d323536213c70726573656e636520786d6c6e733d276a61626265723a636c69656e74272f3e0212726f6d656f406d6f6e74616775652e6c6974126ec3a96540636170756c65742e6c69742f78fbd095ffbc31',
    () => encodeRecord(record, OWNER),
    (bytes) => [decodeRecord('balcony', bytes), ownerOf(bytes)],
    [record, OWNER],
  ],
  [
    'the header of a journal',
    '0100000007018899aabbccddeeff01ffffffff00000009',
    () => encodeHeader(header),
    decodeHeader,
    header,
  ],
  [
    'an entry of a journal',
    '0103000000058899aabbccddeeffffffffff01fbd095ffbc31223c6d6573736167653e3c626f64793ec3a93c2f626f64793e3c2f6d6573736167653e',
    () => encodeEntry(entry),
    decodeEntry,
    entry,
  ],
  [
    'the header of a journal whose entries are counted',
    '020000000700000000012c0000000000c800000000003c000000000008018899aabbccddeeff01ffffffff00000009',
    () => encodeHeader(counted),
    decodeHeader,
    counted,
  ],
  [
    'an entry that is counted',
    '0203000000000003000000058899aabbccddeeffffffffff01fbd095ffbc31223c6d6573736167653e3c626f64793ec3a93c2f626f64793e3c2f6d6573736167653e',
    () => encodeEntry({ ...entry, number: 3 }),
    decodeEntry,
    { ...entry, number: 3 },
  ],
  [
    'the entry of a member',
    '616c6976652031373030303030303030313233203137202d207b7d',
    () => writeEntry(memberEntry),
    (bytes) => readEntry(OWNER, String(bytes)),
    memberEntry,
  ],
  [
    'what a member tells of itself',
    '7b226e616d65223a226f6e65222c22737461727465644174223a352c226672616d6573223a5b312c325d2c2276657273696f6e223a22312e322e33227d',
    () => describeMember(member),
    (bytes) => [memberOf({ ...memberEntry, about: String(bytes) }), framesOf(String(bytes))],
    [member, member.frames],
  ],
  [
    'a frame',
    'b50101fedcba987654321000626f6479',
    () => Buffer.concat([frameHead('channel', OWNER, 1), Buffer.from('body')]),
    readFrame,
    { kind: 'channel', version: 1, sender: OWNER, body: Buffer.from('body') },
  ],
  [
    'a frame of a channel',
    '03c80102e807140161026263',
    () => channelFrame(NONE, news, [Buffer.from('a'), Buffer.from('bc')]),
    readChannelFrame,
    { ...news, items: [Buffer.from('a'), Buffer.from('bc')] },
  ],
  [
    'announced changes',
    '01010302010011223344556677021a6a756c69657440636170756c65742e6c69742f62616c636f6e79fbd095ffbc31003ffbd095ffbc31fcd095ffbc31213c70726573656e636520786d6c6e733d276a61626265723a636c69656e74272f3e008899aabbccddeeff',
    () => put(),
    changesOf,
    { number: 3, changes: [{ put: session }, { removed: OTHER }] },
  ],
  ['an announced beat', '0100ac02', () => announcement.encodeBeat(300), beatOf, { kind: 'beat', number: 300 }],
  [
    'a request for a snapshot',
    '01020401',
    () => announcement.encodeRequest(4, 1),
    announcement.readItem,
    { kind: 'request', id: 4, page: 1 },
  ],
  [
    'a page of a snapshot',
    '01030401010c010011223344556677021a6a756c69657440636170756c65742e6c69742f62616c636f6e79fbd095ffbc31003ffbd095ffbc31fcd095ffbc31213c70726573656e636520786d6c6e733d276a61626265723a636c69656e74272f3e',
    () => announcement.encodePage(page, [announcement.sessionBytes(session)]),
    announcement.readItem,
    { kind: 'page', ...page, sessions: [session] },
  ],
  [
    'a stanza for a session',
    '01030000000600112233445566778899aabbccddeeffffffffff013c6d6573736167652f3e',
    () => items.encodeDeliver(deliver, '<message/>'),
    items.decodeDeliver,
    { ...deliver, text: Buffer.from('<message/>') },
  ],
  ['answers', '0200000001010000000200', () => items.encodeAnswers(answers), items.decodeAnswers, answers],
  [
    'a notice',
    '03000000080e726f737465722e6368616e6765646a756c69657440636170756c65742e6c6974',
    () => items.encodeNotice(notice),
    items.decodeNotice,
    notice,
  ],
  [
    'a release',
    '04000000090011223344556677',
    () => items.encodeSession(ITEM.release, { id: 9, sid: SID }),
    items.decodeSession,
    { id: 9, sid: SID },
  ],
  [
    'an eviction',
    '05000000090011223344556677',
    () => items.encodeSession(ITEM.evict, { id: 9, sid: SID }),
    items.decodeSession,
    { id: 9, sid: SID },
  ],
  [
    'a question for acknowledgements',
    '060000000a0011223344556677018bcfe5687b',
    () => items.encodeAcknowledged(10, SID, AT),
    items.decodeAcknowledged,
    { id: 10, sid: SID, at: AT },
  ],
  [
    'where a stanza comes from that is traced',
    '0730302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031',
    () => items.encodeTrace(TRACEPARENT),
    items.decodeTrace,
    TRACEPARENT,
  ],
  [
    'where a notice comes from that is traced',
    '0830302d30616637363531393136636434336464383434386562323131633830333139632d623761643662373136393230333333312d3031',
    () => items.encodeTrace(TRACEPARENT, 'traceNotice'),
    items.decodeTrace,
    TRACEPARENT,
  ],
  [
    'an offer',
    '66656463626139383736353433323130203030313132323333343435353636373720333030206a756c69657440636170756c65742e6c6974',
    () => encodeOffer(offer),
    (bytes) => decodeOffer(String(bytes)),
    offer,
  ],
];

it.each(forms)('%s', (_name, hex, write, read, expected) => {
  const bytes = Buffer.from(hex, 'hex');
  expect(Buffer.from(write()).toString('hex')).toBe(hex);
  expect(read(bytes)).toEqual(expected);
});

it('the record of a session, as it was before it told when that was bound', () => {
  const bytes = Buffer.from(RECORD_BEFORE, 'hex');
  expect([decodeRecord('balcony', bytes), ownerOf(bytes)]).toEqual([{ ...record, boundAt: 0 }, OWNER]);
});
