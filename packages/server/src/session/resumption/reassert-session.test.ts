import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { JournalHeader } from './journal-header.ts';
import { journalKeys, partitionOf, sessionIndexKeys, sessionKeys } from './resumption-keys.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { NOT_RESUMABLE, ResumptionStore } from './resumption-store.ts';

const newSid = () => randomBytes(8).toString('hex');
const header = (handled = 0): JournalHeader => ({ handled, origins: new Map() });
const entry = (out: number): JournalEntry => ({ out, origin: undefined, at: out, text: `<message id='${out}'/>` });
const openStore = (keyspace: Keyspace) =>
  new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });

let redis: Redis;
const folder = mkdtempSync(join(tmpdir(), 'parley-reassertion-'));
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['memory', 'disk', 'redis'])('a session that its owner asserts on %s', (kind) => {
  let keyspace: Keyspace;
  let store: ResumptionStore;
  let account: Jid;
  let record: ResumptionRecord;
  beforeAll(async () => {
    const urls: Record<string, string> = { memory: 'embedded::memory:', disk: `embedded:${folder}`, redis: redis.url };
    ({ keyspace } = await openKeyspace(urls[kind] ?? ''));
    return () => keyspace.close();
  });
  beforeEach(() => {
    store = openStore(keyspace);
    account = Jid.parse(`romeo@montague.${newSid()}`);
    record = {
      resource: 'orchard wall',
      sid: newSid(),
      epoch: 1,
      maxSeconds: 300,
      carbons: true,
      interested: false,
      receiving: false,
      inactive: false,
      boundAt: 1_700_000_000_000,
      presence: undefined,
      directed: ['nurse@capulet.lit'],
      mechanism: 'SCRAM-SHA-256',
    };
  });

  const read = () => store.read(account, record.sid);
  const journal = (epoch: number) => journalKeys.key(partitionOf(account), record.sid, String(epoch));
  const listed = async () =>
    (await Array.fromAsync(store.all())).flat().filter((session) => session.account.equals(account));
  const indexed = async () =>
    (await keyspace.smembers(sessionIndexKeys.key(partitionOf(account))))
      .map(String)
      .filter((member) => member.includes(record.sid));
  const assert = (epoch: number, entries: JournalEntry[], of = store) =>
    of.reassert(account, { ...record, epoch }, header(9), entries);

  it('is as the owner has it, whatever the store remembers', async () => {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [entry(1)]);
    expect(await assert(3, [entry(2), entry(3)])).toBe(4); // it had been taken over twice, which is forgotten
    const kept = { record: { ...record, epoch: 4 }, header: header(9), entries: [entry(2), entry(3)] };
    expect(await read()).toMatchObject({ ...kept, owner: store.owner });
    expect(await listed()).toHaveLength(1);
    expect(await indexed()).toHaveLength(1);
    expect(await keyspace.llen(journal(1))).toBe(0);
    expect(await store.append(account, record.sid, 3, [entry(4)])).toBe(false);
    expect(await store.append(account, record.sid, 4, [entry(4)])).toBe(true);
  });

  it('is there again where all of it was lost', async () => {
    expect(await assert(1, [entry(1)])).toBe(2);
    expect(await read()).toMatchObject({ record: { ...record, epoch: 2 }, entries: [entry(1)] });
    expect(await listed()).toHaveLength(1);
  });

  it('may be asserted again by the same owner, though nobody knows what became of it before', async () => {
    await store.open(account, record, header());
    expect(await assert(1, [entry(1)])).toBe(2);
    expect(await assert(1, [entry(1), entry(2)])).toBe(3);
    expect((await read())?.entries).toEqual([entry(1), entry(2)]);
    expect(await indexed()).toHaveLength(1);
  });

  it('is lost to a later owner, and won from an earlier one', async () => {
    const other = openStore(keyspace);
    await store.open(account, record, header());
    await other.takeOver(account, record.resource, record.sid, 1, header(), []);
    expect(await assert(1, [entry(1)])).toBeUndefined();
    expect(await read()).toMatchObject({ owner: other.owner, entries: [] });
    expect(await assert(300, [entry(1)])).toBe(301);
    expect(await other.append(account, record.sid, 2, [entry(2)])).toBe(false);
    expect(await assert(300, [], other)).toBeUndefined();
    expect(await read()).toMatchObject({ owner: store.owner, entries: [entry(1)] });
  });

  it('takes the resource from a session that had it before', async () => {
    const before = { ...record, sid: newSid(), epoch: 7, boundAt: record.boundAt - 1 };
    await openStore(keyspace).open(account, before, header());
    expect(await assert(1, [])).toBe(2);
    expect(await listed()).toMatchObject([{ record: { sid: record.sid } }]);
    expect(await store.read(account, before.sid)).toBeUndefined();
  });

  it('leaves the resource to a session that had it later, and both decide the same of one moment', async () => {
    const later = { ...record, sid: newSid(), boundAt: record.boundAt + 1 };
    await openStore(keyspace).open(account, later, header());
    expect(await assert(5, [entry(1)])).toBeUndefined();
    expect(await listed()).toMatchObject([{ record: { sid: later.sid, epoch: 1 } }]);
    const [low, high] = [
      { ...record, sid: '0'.repeat(16) },
      { ...record, sid: 'f'.repeat(16) },
    ];
    for (const first of [low, high]) {
      await keyspace.del(sessionKeys.key(account.bareText));
      for (const each of [first, low, high, first]) await store.reassert(account, each, header(), []);
      expect((await store.list(account)).map(({ record: { sid } }) => sid)).toEqual([high.sid]);
    }
  });

  it('that cannot be resumed is recorded, unless a later one has its resource, and tells which one it replaced', async () => {
    const plain = { ...record, epoch: NOT_RESUMABLE, maxSeconds: 0 };
    const assertPlain = () => store.assert(account, plain);
    expect(await assertPlain()).toEqual({ before: undefined });
    expect(await assertPlain()).toEqual({ before: undefined });
    expect([(await listed()).length, await indexed()]).toEqual([
      1,
      [`${plain.sid} 0 ${account.bareText}/${plain.resource}`],
    ]);
    const [earlier, later] = [-1, 1].map((by) => ({ ...plain, sid: newSid(), boundAt: plain.boundAt + by }));
    const other = openStore(keyspace);
    await other.register(account, earlier as ResumptionRecord);
    expect(await assertPlain()).toEqual({
      before: { sid: earlier?.sid, owner: other.owner, boundAt: earlier?.boundAt },
    });
    await other.register(account, later as ResumptionRecord);
    expect(await assertPlain()).toBeUndefined();
    expect((await store.list(account)).map(({ record: { sid } }) => sid)).toEqual([later?.sid]);
  });

  it('that can be resumed by now is not recorded as one that cannot', async () => {
    await store.open(account, record, header());
    expect(await store.assert(account, { ...record, epoch: NOT_RESUMABLE, maxSeconds: 0 })).toEqual({
      before: undefined,
    });
    expect((await read())?.record).toEqual(record);
  });

  it('looks again where somebody changes the record meanwhile', async () => {
    await store.open(account, record, header());
    const { hget } = keyspace;
    vi.spyOn(keyspace, 'hget').mockImplementationOnce(async (...args) => {
      const seen = await hget.apply(keyspace, args);
      await openStore(keyspace).claim(account, record.sid);
      return seen;
    });
    expect(await assert(1, [entry(1)])).toBeUndefined();
    expect((await read())?.record.epoch).toBe(2);
  });
});
