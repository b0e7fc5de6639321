// What the messages of RFC 4533 mean, said by a directory written by hand.
import { FilterParser } from 'ldapts';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { entryAnswer, intermediateAnswer, resultAnswer } from '../../../../../../tests/services/ldap-answers.ts';
import { BER, BerSequence, berEncode, berEncodeBoolean, berEncodeInteger, berOnly } from '../connection/ber.ts';
import { type LdapMessage, RESPONSE, readMessage } from '../connection/message.ts';
import { RawConnection, type Wire } from '../connection/raw-connection.ts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { contentSync } from './content-sync.ts';
import { SYNC } from './content-sync-messages.ts';
import type { Copy, EntryChange } from './copy.ts';
import { digits } from './copy.ts';
import type { Follow } from './follow.ts';
import { shapeOf } from './followed.ts';
import { Rechecks } from './rechecks.ts';
import { directoryLeaseKeys } from './sync-keys.ts';
import { takeLease } from './sync-operations.ts';
import type { SyncState } from './sync-state.ts';
import { SyncState as State } from './sync-state.ts';
import { LogLines, memoryKeyspace } from './testing-following.ts';

/** Ids are the last digits of UUIDs. */
const uuid = (id: string) => `00000000-0000-0000-0000-${id.padStart(12, '0')}`;
const bytes = (id: string) => Buffer.from(digits(uuid(id)), 'hex');

class MemoryCopy implements Copy {
  readonly entries = new Map<string, string>();
  readonly applied: string[] = [];
  get size() {
    return this.entries.size;
  }
  has(id: string) {
    return this.entries.has(id);
  }
  ids() {
    return this.entries.keys();
  }
  idOf(entry: Entry) {
    return entry.text('id');
  }
  idOfUuid(entryUuid: string) {
    return [...this.entries.keys()].find((id) => uuid(id) === entryUuid);
  }
  async apply(changes: readonly EntryChange[]) {
    for (const { id, entry } of changes) {
      this.applied.push(entry ? `put ${id} ${entry.dn}` : `remove ${id}`);
      if (entry) this.entries.set(id, entry.dn);
      else this.entries.delete(id);
    }
  }
  async settled() {}
  close() {}
}

class Script implements Wire {
  handler: Wire['handler'] = { onData() {}, onClose() {} };
  readonly asked = Promise.withResolvers<LdapMessage>();
  id = 0;
  write(sent: Uint8Array) {
    const message = readMessage(Buffer.from(sent));
    if (message.operation !== 0x63 || this.id !== 0) return;
    this.id = message.id;
    this.asked.resolve(message);
  }
  pause() {}
  resume() {}
  destroy() {}
  end() {}

  entry(state: number, id: string, dn = `cn=${id}`, cookie?: string) {
    const value = berEncode(
      BER.sequence,
      berEncodeInteger(state, BER.enumerated),
      berEncode(BER.octetString, bytes(id)),
      ...(cookie === undefined ? [] : [berEncode(BER.octetString, cookie)]),
    );
    this.handler.onData(entryAnswer(this.id, dn, [['id', [id]]], [{ oid: SYNC.state, value }]));
  }

  info(tag: number, ...content: Buffer[]) {
    this.handler.onData(intermediateAnswer(this.id, SYNC.info, berEncode(tag, ...content)));
  }

  ids(deleted: boolean, ...ids: string[]) {
    const set = berEncode(BER.set, ...ids.map((id) => berEncode(BER.octetString, bytes(id))));
    this.info(0xa3, berEncodeBoolean(deleted), set);
  }

  refreshed(kind: 'delete' | 'present', cookie: string, done = true) {
    const flag = done ? [] : [berEncodeBoolean(false)];
    this.info(kind === 'delete' ? 0xa1 : 0xa2, berEncode(BER.octetString, cookie), ...flag);
  }
}

let copy: MemoryCopy;
let state: SyncState;
let log: LogLines;

beforeEach(async () => {
  const keyspace = await memoryKeyspace();
  const epoch = await keyspace.call(takeLease, [directoryLeaseKeys.key('corp')], ['node', 60_000]);
  state = await State.load(keyspace, 'corp', 'people', epoch);
  copy = new MemoryCopy();
  log = new LogLines();
});

const followed = {
  what: 'people',
  base: 'ou=people',
  scope: 'sub',
  filter: FilterParser.parseString('(objectClass=person)'),
  attributes: ['id'],
  id: { attribute: 'id', form: 'text' },
  meaning: '',
  load: async () => copy,
} as const;

/** Starts to follow; resolves when the directory was asked, with the cookie that it was given. */
async function follow({ heldMinutes = 10 } = {}) {
  const wire = new Script();
  const synchronisation = { keepAliveSeconds: 3600, mostRemovedPercent: 20, heldMinutes };
  const directory = { settings: { synchronisation, timeoutSeconds: 60 } } as unknown as Directory;
  const complete = Promise.withResolvers<void>();
  const end = new AbortController();
  const connection = new RawConnection(wire);
  onTestFinished(() => connection.close());
  const options: Follow = {
    directory,
    followed,
    copy,
    state,
    log: log.log,
    signal: end.signal,
    rechecks: new Rechecks(directory, followed, copy),
    connect: async () => connection,
    onComplete: async () => complete.resolve(),
    onHeld: () => {},
  };
  const result = contentSync(options).catch((error: Error) => error);
  const { controls } = await wire.asked.promise;
  const request = new BerSequence(berOnly(controls.get(SYNC.request) as Buffer, BER.sequence));
  request.take(BER.enumerated);
  return { wire, result, complete: complete.promise, cookie: request.optional(BER.octetString)?.toString() };
}

const saved = () => state.cookie(shapeOf(followed))?.toString();

/** Goes on until the cookie is kept. */
const keeps = (cookie: string) => expect.poll(saved, { interval: 1 }).toBe(cookie);

it('takes over everything where it has no cookie, and takes away whoever is not there any more', async () => {
  copy.entries.set('1', 'cn=1').set('9', 'cn=9');
  const { wire, complete, cookie } = await follow();
  expect(cookie).toBeUndefined();
  wire.entry(1, '1');
  wire.entry(1, '2', 'cn=2', 'too early');
  expect(copy.entries.has('9')).toBe(true);
  wire.refreshed('delete', 'a');
  await complete;
  await keeps('a');
  expect(copy.applied).toEqual(['put 1 cn=1', 'put 2 cn=2', 'remove 9']);
  wire.entry(2, '2', 'cn=two', 'b');
  wire.entry(3, '1', 'cn=1', 'c');
  await keeps('c');
  expect(copy.applied.slice(3)).toEqual(['put 2 cn=two', 'remove 1']);
  wire.info(0x80, Buffer.from('d'));
  await keeps('d');
});

it('goes on from a cookie: told of those who are gone, or of those who are there', async () => {
  for (const id of ['1', '2', '3', '4']) copy.entries.set(id, `cn=${id}`);
  await state.saveCookie(Buffer.from('a'), shapeOf(followed));
  const first = await follow();
  expect(first.cookie).toBe('a');
  first.wire.ids(true, '1', '7');
  first.wire.refreshed('delete', 'b');
  await first.complete;
  expect(copy.applied).toEqual(['remove 1']);
  await keeps('b');

  const second = await follow();
  expect(second.cookie).toBe('b');
  second.wire.entry(2, '2', 'cn=two');
  second.wire.ids(false, '3');
  second.wire.refreshed('present', 'c', false);
  second.wire.ids(true, '3');
  second.wire.refreshed('delete', 'd');
  await second.complete;
  expect(copy.applied.slice(1)).toEqual(['put 2 cn=two', 'remove 4', 'remove 3']);
});

it('begins anew where the directory has forgotten what the cookie is of', async () => {
  await state.saveCookie(Buffer.from('old'), shapeOf(followed));
  const { wire, result } = await follow();
  wire.handler.onData(resultAnswer(wire.id, RESPONSE.searchDone, { code: 4096 }));
  expect(await result).toMatchObject({ name: 'BeginAgain' });
  expect(saved()).toBeUndefined();
});

it('begins anew where the directory tells of somebody as known who is not', async () => {
  await state.saveCookie(Buffer.from('old'), shapeOf(followed));
  const { wire, result } = await follow();
  wire.ids(false, '5');
  expect(await result).toMatchObject({ name: 'BeginAgain' });
});

it.each([
  ['a limit of the directory', (wire: Script) => resultAnswer(wire.id, RESPONSE.searchDone, { code: 4 })],
  ['an entry without its state', (wire: Script) => entryAnswer(wire.id, 'cn=x')],
  ['garbage', () => Buffer.from('HTTP/1.1 200 OK')],
])('takes nobody away where it was cut short by %s', async (_, answer) => {
  copy.entries.set('1', 'cn=1').set('2', 'cn=2');
  const { wire, result } = await follow();
  wire.entry(1, '1');
  wire.handler.onData(answer(wire));
  expect(await result).toBeInstanceOf(Error);
  expect(copy.applied.filter((each) => each.startsWith('remove'))).toEqual([]);
});

it('holds it back where very many are missing, and believes it when that stays so', async () => {
  for (let id = 1; id <= 20; id++) copy.entries.set(`${id}`, `cn=${id}`);
  const held = log.next('directory.held');
  const { wire } = await follow();
  for (let id = 1; id <= 14; id++) wire.entry(1, `${id}`);
  wire.refreshed('delete', 'a');
  expect(await held).toMatchObject({ missing: 6, known: 20 });
  expect(state.held).toBeGreaterThan(0);
  // whoever is said to be gone from now on is
  wire.entry(3, '1', 'cn=1', 'b');
  await expect.poll(() => copy.entries.has('1'), { interval: 1 }).toBe(false);
  expect(saved()).toBeUndefined();

  const { wire: later, complete } = await follow({ heldMinutes: 0 });
  for (let id = 2; id <= 14; id++) later.entry(1, `${id}`);
  later.refreshed('delete', 'c');
  await complete;
  expect(copy.size).toBe(13);
  expect(state.held).toBe(0);
});

it('does not take an empty directory for one that has lost everybody', async () => {
  copy.entries.set('1', 'cn=1');
  const held = log.next('directory.held');
  const { wire } = await follow();
  wire.refreshed('delete', 'a');
  expect(await held).toMatchObject({ missing: 1, known: 1 });
  expect(copy.size).toBe(1);
});
