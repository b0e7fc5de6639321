import { randomBytes } from 'node:crypto';
import { PARTITIONS, partition } from '@parley/keyspace/key';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { type JournalCounts, NO_COUNTS } from './journal-counts.ts';
import { encodeEntry, type JournalEntry } from './journal-entry.ts';
import { sweep } from './journal-sweep.ts';
import { JournalSweeps } from './journal-sweeps.ts';
import { journalCountKeys, journalKeys, partitionOf, waitingKeys } from './resumption-keys.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { ResumptionStore } from './resumption-store.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const header = (counts?: Partial<JournalCounts>) => ({
  handled: 0,
  origins: new Map(),
  counts: { ...NO_COUNTS, ...counts },
});

const entry = (number?: number): JournalEntry => ({
  ...{ out: number, origin: undefined, at: 1, text: '<message/>' },
  ...(number !== undefined && { number }),
});

describe.each(['memory', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let store: ResumptionStore;
  let account: Jid;
  let record: ResumptionRecord;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
    return () => keyspace.close();
  });
  beforeEach(async () => {
    store = new ResumptionStore({ keyspace, onDamaged: () => {} });
    do account = Jid.parse(`romeo@montague.${randomBytes(8).toString('hex')}`);
    while ((await swept()).entered > 0); // nobody else's partition
    record = {
      ...{ resource: 'orchard', sid: randomBytes(8).toString('hex'), epoch: 1, maxSeconds: 300, boundAt: 1 },
      ...{ carbons: false, interested: false, receiving: false, inactive: false, directed: [], mechanism: '' },
      presence: undefined,
    };
  });

  const swept = (note = false) => sweep(keyspace, partition(account.bareText), note);
  const write = (entries: readonly JournalEntry[], counts?: Partial<JournalCounts>, trim = 0) =>
    store.write(account, store.journalOf(account, record.sid, 1), { entries, header: counts && header(counts), trim });
  const end = () => store.end(account, record.resource, record.sid, 1);

  it('knows of each entry what became of it, from the first to the last', async () => {
    expect(await swept()).toEqual({ ...NO_COUNTS, present: 0, missing: 0 });
    await store.open(account, record, header());
    await write([entry(1), entry(2), entry(3)]);
    expect(await swept()).toEqual({ ...NO_COUNTS, entered: 3, present: 3, missing: 0 });
    await write([entry(4)], { entered: 4, delivered: 1, bounced: 1 }, 2);
    expect(await swept()).toEqual({ entered: 4, delivered: 1, moved: 0, bounced: 1, present: 2, missing: 0 });
    await end();
    expect(await swept()).toEqual({ entered: 4, delivered: 1, moved: 0, bounced: 1, present: 2, missing: 0 });
    const jid = account.withResource(record.resource);
    await store.keepWaiting(jid, record.sid, 1);
    expect(await swept()).toEqual({ entered: 4, delivered: 1, moved: 1, bounced: 1, present: 1, missing: 0 });
    await store.keepWaiting(jid, record.sid, 0);
    expect(await swept()).toEqual({ entered: 4, delivered: 1, moved: 2, bounced: 1, present: 0, missing: 0 });
    expect(store.tally).toEqual({ ...NO_COUNTS, moved: 2 });
  });

  it('takes what a session that ended twice had left for moved', async () => {
    await store.open(account, record, header());
    await write([entry(1), entry(2)]);
    await end();
    await store.open(account, { ...record, sid: record.sid }, header());
    expect(await swept()).toMatchObject({ entered: 2, present: 2, missing: 0 });
    await keyspace.del(store.journalOf(account, record.sid, 1));
    await store.reassert(account, record, header({ entered: 2 }), [entry(1), entry(2)]);
    const other = new ResumptionStore({ keyspace, onDamaged: () => {} }); // another node, which knows no better
    await other.end(account, record.resource, record.sid, 2);
    expect(await swept()).toMatchObject({ entered: 4, moved: 2, present: 2, missing: 0 });
  });

  it('takes journals of the version before as they are', async () => {
    await store.open(account, record, { handled: 0, origins: new Map() });
    await store.append(account, record.sid, 1, [entry(), entry()]);
    expect(await swept()).toEqual({ ...NO_COUNTS, present: 0, missing: 0 });
    const kept = await store.read(account, record.sid);
    expect(kept?.header.counts).toEqual({ ...NO_COUNTS, entered: 2 });
    await end();
    expect(await swept()).toEqual({ ...NO_COUNTS, entered: 2, present: 2, missing: 0 });
  });

  const journal = () => journalKeys.key(partitionOf(account), record.sid, '1');
  it.each<[string, number, () => Promise<unknown>]>([
    ['one too many was trimmed', 1, () => write([], { entered: 3, delivered: 1 }, 2)],
    ['the only one was trimmed, and is not counted', 3, () => write([], { entered: 3 }, 3)],
    ['one was trimmed, and is not counted', 1, () => write([], { entered: 3 }, 1)],
    ['a whole journal is gone', 1, () => keyspace.del(journal())],
    ['one is there twice', -1, () => keyspace.rpush(journal(), encodeEntry(entry(3)))],
    ['what waited is gone', 3, () => end().then(() => keyspace.del(waitingKeys.key(partitionOf(account), record.sid)))],
    ['more was delivered than there was', -2, () => write([], { entered: 3, delivered: 2 }, 0)],
  ])('finds out where %s', async (_, missing, damage) => {
    await store.open(account, record, header());
    await write([entry(1), entry(2), entry(3)], { entered: 3 });
    expect(await swept()).toMatchObject({ missing: 0 });
    await damage();
    expect(await swept()).toMatchObject({ missing });
    expect(await swept(true)).toMatchObject({ missing });
    expect(await swept(true)).toMatchObject({ missing: 0 }); // it is noted
  });

  it('keeps the counts of journals that are no more', async () => {
    await store.open(account, record, header());
    await write([entry(1)]);
    await end();
    expect(await keyspace.hgetall(journalCountKeys.key(partitionOf(account)))).toEqual(
      new Map([['entered', Buffer.from('1')]]),
    );
  });
});

describe('the alarm', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  /** Of a partition, as keys have it: what an operation is called with. */
  const placeOf = (key: string) => Number(/\{p(\d+)\}/.exec(key)?.[1]);

  function alarm(share = { place: 0, of: 1 }) {
    const missing = new Map<number, number>();
    const looked: number[] = [];
    const told: [number, number][] = [];
    const faults: unknown[] = [];
    const call = async (_: unknown, [key = '']: readonly string[], [, , note]: readonly string[]) => {
      const place = placeOf(key);
      looked.push(place);
      const found = missing.get(place) ?? 0;
      if (note === '1') missing.delete(place);
      return { ...NO_COUNTS, present: 0, missing: found };
    };
    const sweeps = new JournalSweeps({
      keyspace: { call } as never,
      sweepSeconds: 60,
      share: () => share,
      onMissing: (place, number) => told.push([place, number]),
      onFault: (error) => faults.push(error),
    });
    const minute = async () => {
      for (let second = 0; second < 60; second++) {
        vi.advanceTimersByTime(1000);
        await new Promise((turn) => setImmediate(turn));
      }
    };
    return { missing, looked, told, faults, sweeps, minute };
  }

  it('tells once of what differs over two sweeps, and not of what differs in one', async () => {
    const { missing, told, sweeps, minute, looked } = alarm();
    await using _ = sweeps;
    missing.set(7, 2);
    missing.set(1000, -1);
    await minute();
    expect([new Set(looked).size, looked.length]).toEqual([PARTITIONS, PARTITIONS]);
    expect(told).toEqual([]);
    missing.delete(1000);
    await minute();
    await minute();
    expect(told).toEqual([[7, 2]]);
  });

  it('shares the partitions among the nodes', async () => {
    const looks: number[] = [];
    for (const place of [0, 1, 2]) {
      const { sweeps, looked, minute } = alarm({ place, of: 3 });
      await minute();
      await sweeps[Symbol.asyncDispose]();
      looks.push(...looked);
    }
    expect([looks.length, new Set(looks).size]).toEqual([PARTITIONS, PARTITIONS]);
  });
});
