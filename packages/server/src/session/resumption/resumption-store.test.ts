import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { JournalHeader } from './journal-header.ts';
import {
  journalKeys,
  partitionOf,
  sessionIndexKeys,
  sessionKeys,
  waitingIndexKeys,
  waitingKeys,
} from './resumption-keys.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { ResumptionStore, type WaitingEntries } from './resumption-store.ts';

const newSid = () => randomBytes(8).toString('hex');

const header = (handled = 0, origins: [string, number][] = []): JournalHeader => ({
  handled,
  origins: new Map(origins),
});

const entry = (out: number): JournalEntry => ({
  out,
  origin: { sid: '0123456789abcdef', k: out, effect: 0 },
  at: 1_700_000_000_000,
  text: `<message to='juliet@capulet.lit'><body>${out} ♥</body></message>`,
});

const damaged = vi.fn<(error: KeyspaceError) => void>();
const openStore = (keyspace: Keyspace) => new ResumptionStore({ keyspace, onDamaged: damaged });

const list = <Item>(pages: AsyncIterable<Item>): Promise<Item[]> => Array.fromAsync(pages);

let redis: Redis;
const folder = mkdtempSync(join(tmpdir(), 'parley-resumption-'));
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['memory', 'disk', 'redis'])('on %s', (kind) => {
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
    damaged.mockReset();
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
      presence: "<presence from='romeo@montague.lit/orchard wall'/>",
      directed: ['nurse@capulet.lit'],
      mechanism: 'SCRAM-SHA-256',
    };
  });

  const { end, read, takeOver } = {
    end: (epoch = 1) => store.end(account, record.resource, record.sid, epoch),
    read: () => store.read(account, record.sid),
    takeOver: (from: number, entries: JournalEntry[] = [], of = store) =>
      of.takeOver(account, record.resource, record.sid, from, header(from), entries),
  };

  const journal = (epoch: number) => journalKeys.key(partitionOf(account), record.sid, String(epoch));

  /** Sessions of this test that are listed. */
  const listed = async (of = store) =>
    (await list(of.all())).flat().filter((session) => session.account.equals(account));

  const unfinished = async (of = store): Promise<WaitingEntries[]> =>
    (await list(of.unfinished())).filter(({ jid }) => jid.bare.equals(account));

  /** What the indexes say of this test's session. */
  async function indexed(): Promise<string[]> {
    const keys = [sessionIndexKeys, waitingIndexKeys].map((index) => index.key(partitionOf(account)));
    const members = (await Promise.all(keys.map((key) => keyspace.smembers(key)))).flat().map(String);
    return members.filter((member) => member.includes(record.sid));
  }

  /** Whatever the keyspace still has of this test. */
  async function left(): Promise<unknown[]> {
    const partition = partitionOf(account);
    const keys = [sessionKeys.key(account.bareText), journal(1), journal(2), journal(3)];
    const waiting = waitingKeys.key(partition, record.sid);
    const counts = await Promise.all([...keys, waiting].map((key) => keyspace.del(key)));
    return [...counts.filter((count) => count > 0), ...(await indexed())];
  }

  it('has a session that was opened, and no other', async () => {
    expect(await read()).toBeUndefined();
    await store.open(account, record, header(7, [['0123456789abcdef.0', 3]]));
    expect(await read()).toMatchObject({ record, header: header(7, [['0123456789abcdef.0', 3]]), entries: [] });
    expect(await store.read(account, newSid())).toBeUndefined();
    expect(await store.read(Jid.parse('benvolio@montague.lit'), record.sid)).toBeUndefined();
    expect(await listed()).toEqual([{ account, record, owner: store.owner }]);
    expect(await unfinished()).toEqual([]);
  });

  it('opens it once, however often that is tried', async () => {
    await store.open(account, record, header());
    await store.open(account, record, header());
    expect(await keyspace.llen(journal(1))).toBe(1);
    expect(await listed()).toHaveLength(1);
  });

  it('tells sessions of an account apart', async () => {
    const other = { ...record, resource: 'balcony', sid: newSid(), presence: undefined, directed: [] };
    await store.open(account, record, header(1));
    await store.open(account, other, header(2));
    await store.append(account, other.sid, 1, [entry(1)]);
    expect(await read()).toMatchObject({ record, header: header(1), entries: [] });
    expect(await store.read(account, other.sid)).toMatchObject({ record: other, entries: [entry(1)] });
    expect((await listed()).map((session) => session.record.resource).sort()).toEqual(['balcony', 'orchard wall']);
  });

  it('changes a record for its owner alone', async () => {
    await store.open(account, record, header());
    const changed = { ...record, carbons: false, presence: undefined };
    expect(await store.update(account, changed)).toBe(true);
    expect((await read())?.record).toEqual(changed);
    expect(await store.update(account, { ...record, epoch: 2 })).toBe(false);
    expect(await store.update(account, { ...record, sid: newSid() })).toBe(false);
    expect(await store.update(account, { ...record, resource: 'elsewhere' })).toBe(false);
    expect((await read())?.record).toEqual(changed);
  });

  it('appends in order', async () => {
    await store.open(account, record, header());
    expect(await store.append(account, record.sid, 1, [entry(1)])).toBe(true);
    const appended = [store.append(account, record.sid, 1, [entry(2), entry(3)])];
    appended.push(store.append(account, record.sid, 1, [{ ...entry(4), out: undefined, origin: undefined }]));
    expect(await Promise.all(appended)).toEqual([true, true]);
    const entries = [entry(1), entry(2), entry(3), { ...entry(4), out: undefined, origin: undefined }];
    expect((await read())?.entries).toEqual(entries);
  });

  it('trims what was acknowledged', async () => {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [1, 2, 3, 4].map(entry));
    expect(await store.checkpoint(account, record.sid, 1, header(5), 0)).toBe(true);
    expect(await read()).toMatchObject({ header: header(5), entries: [1, 2, 3, 4].map(entry) });
    const origins: [string, number][] = [['0123456789abcdef.0', 3]];
    expect(await store.checkpoint(account, record.sid, 1, header(6, origins), 3)).toBe(true);
    expect(await read()).toMatchObject({ header: header(6, origins), entries: [entry(4)] });
    expect(await store.checkpoint(account, record.sid, 1, header(7), 1)).toBe(true);
    expect(await read()).toMatchObject({ header: header(7), entries: [] });
    expect(await store.append(account, record.sid, 1, [entry(5)])).toBe(true);
  });

  it('refuses all that an owner writes who was followed by another one', async () => {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [1, 2, 3].map(entry));
    expect(await takeOver(1, [entry(9)])).toBe(true);
    expect(await indexed()).toEqual([`${record.sid} 2 ${account}/orchard wall`]);

    expect(await store.append(account, record.sid, 1, [entry(4)])).toBe(false);
    expect(await store.checkpoint(account, record.sid, 1, header(8), 0)).toBe(false);
    expect(await store.checkpoint(account, record.sid, 1, header(8), 2)).toBe(false);
    expect(await store.update(account, { ...record, carbons: false })).toBe(false);
    expect(await takeOver(1, [], openStore(keyspace))).toBe(false);
    expect(await end(1)).toBeUndefined();

    const now = { record: { ...record, epoch: 2 }, header: header(1), entries: [entry(9)] };
    expect(await read()).toMatchObject(now);
    expect(await listed()).toEqual([{ account, record: now.record, owner: store.owner }]);
    expect(await keyspace.llen(journal(1))).toBe(0);
    expect(await store.append(account, record.sid, 2, [entry(10)])).toBe(true);
    expect(await store.update(account, { ...now.record, carbons: false })).toBe(true);
    expect((await read())?.record.carbons).toBe(false);
  });

  it('gives a session to one of many', async () => {
    await store.open(account, record, header());
    const stores = Array.from({ length: 8 }, () => openStore(keyspace));
    const results = await Promise.all(stores.map((one, index) => takeOver(1, [entry(index)], one)));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await read())?.entries).toEqual([entry(results.indexOf(true))]);
  });

  it('may be taken over once more by who did so and did not hear of it', async () => {
    await store.open(account, record, header());
    expect(await takeOver(1, [entry(1)])).toBe(true);
    expect(await takeOver(1, [entry(1)])).toBe(true);
    expect(await takeOver(1, [entry(2)])).toBe(false);
    expect(await takeOver(1, [entry(1), entry(2)])).toBe(false);
    expect(await takeOver(1, [entry(1)], openStore(keyspace))).toBe(false);
    expect((await read())?.entries).toEqual([entry(1)]);
    expect(await takeOver(2)).toBe(true);
    expect(await takeOver(1, [entry(1)])).toBe(false);
    expect((await read())?.record.epoch).toBe(3);
  });

  it('is not taken over where its journal has changed since it was read', async () => {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [1, 2].map(entry));
    const seen = (await read())?.mark;
    const attempt = () => store.takeOver(account, record.resource, record.sid, 1, header(), [entry(2)], seen);
    await store.append(account, record.sid, 1, [entry(3)]);
    expect(await attempt()).toBe(false);
    await store.checkpoint(account, record.sid, 1, header(), 1); // as long as before, but with another end
    expect(await attempt()).toBe(false);
    const again = await read();
    const entries = again?.entries ?? [];
    expect(await store.takeOver(account, record.resource, record.sid, 1, header(), entries, again?.mark)).toBe(true);
    expect((await read())?.entries).toEqual([2, 3].map(entry));
  });

  it('is claimed as it is, with what came meanwhile, and the owner before has lost it', async () => {
    await store.open(account, record, header(7));
    await store.append(account, record.sid, 1, [entry(1)]);
    const successor = openStore(keyspace);
    const { read: original } = successor;
    vi.spyOn(successor, 'read').mockImplementationOnce(async (...args) => {
      const kept = await original.apply(successor, args);
      await store.append(account, record.sid, 1, [entry(2)]); // which was on its way
      return kept;
    });
    const claimed = await successor.claim(account, record.sid);
    expect(claimed).toMatchObject({ record: { ...record, epoch: 2 }, header: header(7), entries: [1, 2].map(entry) });
    expect(await store.append(account, record.sid, 1, [entry(3)])).toBe(false);
    expect(await takeOver(1, [entry(4)])).toBe(false);
    expect(await successor.append(account, record.sid, 2, [entry(5)])).toBe(true);
    expect((await read())?.entries).toEqual([1, 2, 5].map(entry));
    expect(await successor.claim(account, newSid())).toBeUndefined();
  });

  it('keeps what a session left behind until it was routed', async () => {
    await store.open(account, record, header(41));
    await store.append(account, record.sid, 1, [1, 2, 3].map(entry));
    expect(await end()).toEqual([1, 2, 3].map(entry));
    expect(await read()).toBeUndefined();
    expect(await listed()).toEqual([]);
    expect(await store.append(account, record.sid, 1, [entry(4)])).toBe(false);

    const jid = account.withResource(record.resource);
    const waits = (...numbers: number[]) => [{ jid, sid: record.sid, owner: store.owner, entries: numbers.map(entry) }];
    expect(await unfinished(openStore(keyspace))).toEqual(waits(1, 2, 3));
    await store.keepWaiting(jid, record.sid, 2);
    await store.keepWaiting(jid, record.sid, 2); // once more is the same
    expect(await store.waiting(account, record.sid)).toEqual([2, 3].map(entry));
    expect(await unfinished()).toEqual(waits(2, 3));
    await store.keepWaiting(jid, record.sid, 0);
    expect(await store.waiting(account, record.sid)).toEqual([]);
    expect(await unfinished()).toEqual([]);
    await store.keepWaiting(jid, record.sid, 0);
    expect(await left()).toEqual([]);
  });

  it('leaves nothing where there was nothing', async () => {
    await store.open(account, record, header());
    expect(await end()).toEqual([]);
    expect(await end()).toBeUndefined();
    expect(await left()).toEqual([]);
  });

  it('knows for a while how much a session that ended has handled', async () => {
    const other = { ...record, sid: newSid() };
    await store.open(account, record, header(1));
    await store.checkpoint(account, record.sid, 1, header(4_000_000_000), 0);
    expect(await store.lastHandled(account, record.sid)).toBeUndefined();
    const call = keyspace.call.bind(keyspace);
    const milliseconds: unknown[] = [];
    vi.spyOn(keyspace, 'call').mockImplementation((operation, keys, args = []) => {
      if (operation.name === 'end-session') milliseconds.push(args.at(-2));
      return call(operation, keys, milliseconds.length === 2 ? args.with(-2, 1) : args);
    });
    await end();
    expect(await store.lastHandled(account, record.sid)).toBe(4_000_000_000);
    await store.open(account, other, header(5));
    await store.end(account, other.resource, other.sid, 1);
    await vi.waitFor(async () => expect(await store.lastHandled(account, other.sid)).toBeUndefined());
    expect(milliseconds).toEqual([48 * 3_600_000, 48 * 3_600_000]);
  });

  it('ends a session whose resource has another one already', async () => {
    const next = { ...record, sid: newSid() };
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [entry(1)]);
    await store.open(account, next, header());
    expect(await store.update(account, record)).toBe(false);
    expect(await end()).toEqual([entry(1)]);
    expect((await store.read(account, next.sid))?.record).toEqual(next);
    expect(await listed()).toEqual([{ account, record: next, owner: store.owner }]);
  });

  it('finds a session whose resource has another one, and that nobody has ended', async () => {
    const next = { ...record, sid: newSid() };
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [entry(1)]);
    await store.open(account, next, header());
    expect(await listed()).toEqual([{ account, record: next, owner: store.owner }]);
    expect(await unfinished()).toMatchObject([{ sid: record.sid, entries: [entry(1)] }]);
    await store.keepWaiting(account.withResource(record.resource), record.sid, 0);
    expect(await indexed()).toEqual([]);
  });

  it('puts its indexes right where they are wrong', async () => {
    await store.open(account, { ...record, epoch: 2 }, header());
    const jid = account.withResource(record.resource);
    await keyspace.sadd(sessionIndexKeys.key(partitionOf(account)), `${record.sid} 1 ${jid}`);
    expect(await listed()).toEqual([{ account, record: { ...record, epoch: 2 }, owner: store.owner }]);
    expect(await indexed()).toEqual([`${record.sid} 2 ${jid}`]);

    await keyspace.sadd(waitingIndexKeys.key(partitionOf(account)), `${record.sid} ${store.owner} ${jid}`);
    expect(await unfinished()).toEqual([]);
  });

  it('ends a session whose account was removed, and finds one that nobody could end', async () => {
    await store.open(account, record, header(3));
    await store.append(account, record.sid, 1, [entry(1)]);
    await keyspace.del(sessionKeys.key(account.bareText));
    expect(await read()).toBeUndefined();
    expect(await listed()).toEqual([]);
    expect(await unfinished()).toMatchObject([{ sid: record.sid, entries: [entry(1)] }]);
    expect(await store.lastHandled(account, record.sid)).toBe(3);
    await store.keepWaiting(account.withResource(record.resource), record.sid, 0);
    expect(await left()).toEqual([]);
  });

  it('ends a session whose journal is gone', async () => {
    await store.open(account, record, header());
    await keyspace.del(journal(1));
    await expect(read()).rejects.toMatchObject({ failure: 'damaged' });
    expect(await end()).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('tells what an end left behind whose outcome was unknown', async () => {
    await store.open(account, record, header());
    await store.append(account, record.sid, 1, [1, 2].map(entry));
    const call = keyspace.call.bind(keyspace);
    vi.spyOn(keyspace, 'call').mockImplementationOnce(async (...args) => {
      await call(...args);
      throw new KeyspaceError('away', 'The connection is gone', { outcome: 'unknown' });
    });
    await expect(end()).rejects.toMatchObject({ outcome: 'unknown' });
    expect(await end()).toEqual([1, 2].map(entry));
    expect(await end()).toBeUndefined();
  });

  it('passes over what is damaged, and says so', async () => {
    const other = { ...record, resource: 'balcony', sid: newSid() };
    for (const one of [record, other]) {
      await store.open(account, one, header());
      await store.append(account, one.sid, 1, [entry(1)]);
    }
    const index = sessionIndexKeys.key(partitionOf(account));
    await keyspace.sadd(index, `damaged member of ${record.sid}`);
    onTestFinished(async () => void (await keyspace.srem(index, `damaged member of ${record.sid}`)));
    const key = sessionKeys.key(account.bareText);
    const kept = (await keyspace.hget(key, record.resource)) as Buffer;
    await keyspace.hset(key, [[record.resource, kept.subarray(0, -1)]]);
    expect((await listed()).map((session) => session.record)).toEqual([other]);
    expect(damaged).toHaveBeenCalledTimes(2);
    await expect(read()).rejects.toMatchObject({ failure: 'damaged' });

    await keyspace.rpush(journal(1), 'no entry');
    await expect(end()).rejects.toMatchObject({ failure: 'damaged' });
    await store.end(account, other.resource, other.sid, 1);
    expect((await unfinished()).map(({ sid }) => sid)).toEqual([other.sid]);
    expect(damaged).toHaveBeenCalledTimes(3);
    expect(await keyspace.llen(waitingKeys.key(partitionOf(account), record.sid))).toBe(2);
    for (const { resource, sid } of [record, other]) await store.keepWaiting(account.withResource(resource), sid, 0);
  });

  it('fails as the keyspace fails', async () => {
    await store.open(account, record, header());
    const away = new KeyspaceError('away', 'The connection is gone');
    vi.spyOn(keyspace, 'hget').mockRejectedValue(away);
    await expect(list(store.all())).rejects.toBe(away);
    expect(damaged).not.toHaveBeenCalled();
  });
});
